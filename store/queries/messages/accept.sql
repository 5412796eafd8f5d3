select * from accept(%(tenant)s, %(account)s, %(chat)s, %(thread)s, %(sender)s, %(sender_name)s, %(external_id)s, %(kind)s, %(text)s, %(payload)s, %(at_once)s, %(conversation)s, %(message)s)
