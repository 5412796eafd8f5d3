insert into accounts (tenant_id, id, channel, name, state, admission, debounce, owner_identities, settings)
values (%(tenant)s, %(id)s, %(channel)s, %(name)s, 'connected', %(admission)s, %(debounce)s, %(owner_identities)s, %(settings)s)
on conflict (tenant_id, name) do update
  set admission = excluded.admission, debounce = excluded.debounce, owner_identities = excluded.owner_identities, settings = excluded.settings
  where %(overwrite)s and (accounts.admission, accounts.debounce, accounts.owner_identities, accounts.settings)
    is distinct from (excluded.admission, excluded.debounce, excluded.owner_identities, excluded.settings)
returning xmax = 0 as created
