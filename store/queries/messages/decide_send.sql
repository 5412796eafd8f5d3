select * from decide_send(%(tenant)s, %(message)s, %(verb)s, %(copy)s, %(member)s)
