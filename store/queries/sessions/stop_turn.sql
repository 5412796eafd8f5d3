select stop_turn(%(tenant)s, %(session)s, %(state)s, %(error)s) as outcome
