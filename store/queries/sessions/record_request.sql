insert into requests (tenant_id, session_id, turn, n, attempt, model, outcome, tokens_in, tokens_out, cost_usd, took_seconds)
values (%(tenant)s, %(session)s, %(turn)s, %(n)s, %(attempt)s, %(model)s, %(outcome)s, %(tokens_in)s, %(tokens_out)s, %(cost_usd)s, %(took)s)
