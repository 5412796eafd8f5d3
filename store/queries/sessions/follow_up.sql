select * from follow_up(%(tenant)s, %(conversation)s, %(message)s, %(external_id)s, %(note)s, %(due_at)s)
