select *, clock_timestamp() as began_at from begin_send(%(tenant)s, %(conversation)s, %(epoch)s)
