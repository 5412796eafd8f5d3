select * from rest(%(tenant)s, %(session)s)
