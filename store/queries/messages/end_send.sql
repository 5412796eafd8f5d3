select end_send(%(tenant)s, %(message)s, %(attempt)s, %(state)s, %(receipt)s, %(error)s) as ended
