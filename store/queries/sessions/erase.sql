select erase_session(%(tenant)s, %(session)s, %(member)s) as asked
