-- An argument is evaluated before the function runs, so the trace is named when the row is written; it adds nothing to the tenant's id.
select * from accept(%(tenant)s || left(set_config('app.traceparent', %(traceparent)s, true), 0), %(account)s, %(chat)s, %(thread)s, %(sender)s, %(sender_name)s, %(external_id)s, %(kind)s, %(text)s, %(payload)s, %(at_once)s, %(conversation)s, %(message)s)
