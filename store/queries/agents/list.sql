select id, name, persona, backend, model, mode, language, tools, version, created_at
  from agents where tenant_id = %(tenant)s and (%(before)s::text is null or id < %(before)s) order by id desc limit %(limit)s
