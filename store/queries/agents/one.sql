select id, name, persona, backend, model, mode, language, tools, version, created_at from agents where tenant_id = %(tenant)s and id = %(agent)s
