insert into demo_refunds (tenant_id, call_id, amount, "to") values (%(tenant)s, %(call)s, %(amount)s, %(to)s)
