select * from end_with_call(%(tenant)s, %(session)s, %(conversation)s, %(turn)s, %(n)s, %(upto)s, %(looked_at)s, %(call)s, %(tool)s, %(arguments)s, %(sha256)s, %(gate)s, %(ask)s, %(result)s)
