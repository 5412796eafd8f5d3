select rebuild(%(tenant)s, %(namespace)s) as promised
