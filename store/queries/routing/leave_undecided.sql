select leave_undecided(%(tenant)s, %(conversation)s, %(state)s, %(upto)s, %(promised_at)s) as left_so
