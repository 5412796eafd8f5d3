select tenant_of_token(%(hash)s)
