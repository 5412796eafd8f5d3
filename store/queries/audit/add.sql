insert into audit (tenant_id, actor, action, subject, details) values (%(tenant)s, %(actor)s, %(action)s, %(subject)s, %(details)s)
