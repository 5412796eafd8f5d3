select resume_session(%(tenant)s, %(session)s, %(context)s) as outcome
