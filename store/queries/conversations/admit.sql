select admit(%(tenant)s, %(conversation)s, %(verdict)s, %(person)s, %(member)s) as outcome
