select tenant_of_account(%(account)s)
