select *, extract(epoch from due_at - clock_timestamp())::float8 as due_after from rest(%(tenant)s, %(session)s)
