select * from finish_call(%(tenant)s, %(call)s, %(result)s, %(failed)s, %(message)s)
