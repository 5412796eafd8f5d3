select * from end_with_say(%(tenant)s, %(session)s, %(conversation)s, %(turn)s, %(n)s, %(upto)s, %(looked_at)s, %(replies)s, %(commit_delivers)s, %(close)s)
