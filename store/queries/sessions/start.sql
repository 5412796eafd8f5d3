select * from start_session(%(tenant)s, %(agent)s, %(mode)s, %(scope)s, %(input)s, %(member)s, %(account)s, %(session)s, %(conversation)s, %(message)s)
