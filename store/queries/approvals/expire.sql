select * from expire_approval(%(tenant)s, %(approval)s, %(armed_at)s, %(message)s)
