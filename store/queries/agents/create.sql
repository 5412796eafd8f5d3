insert into agents (tenant_id, id, name, persona, backend, model, mode, language, tools)
values (%(tenant)s, %(agent)s, %(name)s, %(persona)s, %(backend)s, %(model)s, %(mode)s, %(language)s, %(tools)s)
returning id, name, persona, backend, model, mode, language, tools, version, created_at
