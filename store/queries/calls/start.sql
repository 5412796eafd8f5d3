select * from start_call(%(tenant)s, %(call)s, %(by)s, %(sha256)s)
