select tenant_of_key(%(hash)s)
