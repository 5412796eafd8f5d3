select suspend_session(%(tenant)s, %(session)s, %(reason)s) as outcome
