select settle(%(tenant)s, %(conversation)s, %(agent)s, %(scope)s, %(new_session)s, %(promised_at)s) as session
