select * from decide(%(tenant)s, %(approval)s, %(member)s, %(identities)s, %(verdict)s, %(comment)s, %(answer)s, %(sha256)s, %(via)s, %(message)s)
