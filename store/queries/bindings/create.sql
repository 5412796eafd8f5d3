insert into bindings (tenant_id, id, account_id, chat, thread, agent_id) values (%(tenant)s, %(binding)s, %(account)s, %(chat)s, %(thread)s, %(agent)s) returning id
