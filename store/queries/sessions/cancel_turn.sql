select cancel_turn(%(tenant)s, %(session)s) as outcome
