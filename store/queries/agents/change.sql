update agents set name = coalesce(%(name)s, name), persona = coalesce(%(persona)s, persona), backend = coalesce(%(backend)s, backend),
       model = coalesce(%(model)s, model), mode = coalesce(%(mode)s, mode), language = coalesce(%(language)s, language), tools = coalesce(%(tools)s, tools),
       version = version + 1
 where tenant_id = %(tenant)s and id = %(agent)s
returning id, name, persona, backend, model, mode, language, tools, version, created_at
