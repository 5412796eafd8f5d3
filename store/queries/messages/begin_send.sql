select * from begin_send(%(tenant)s, %(conversation)s, %(epoch)s)
