select leave_undecided(%(tenant)s, %(conversation)s, %(state)s, %(upto)s) as left_so
