insert into agents (tenant_id, id, name, persona, backend, model, mode, language, tools)
values (%(tenant)s, %(id)s, %(name)s, %(persona)s, %(backend)s, %(model)s, %(mode)s, %(language)s, %(tools)s)
on conflict (tenant_id, name) do update
  set persona = excluded.persona, backend = excluded.backend, model = excluded.model, mode = excluded.mode, language = excluded.language,
      tools = excluded.tools, version = agents.version + 1
  where %(overwrite)s and (agents.persona, agents.backend, agents.model, agents.mode, agents.language, agents.tools)
    is distinct from (excluded.persona, excluded.backend, excluded.model, excluded.mode, excluded.language, excluded.tools)
returning xmax = 0 as created
