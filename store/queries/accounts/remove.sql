select remove_account(%(tenant)s, %(account)s) as asked
