select close_session(%(tenant)s, %(session)s, 'member')
