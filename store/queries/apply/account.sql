insert into accounts (tenant_id, id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown)
values (%(tenant)s, %(id)s, %(channel)s, %(name)s, 'connected', %(admission)s, %(debounce)s, %(owner_identities)s, %(settings)s, %(sealed)s, %(secrets_shown)s)
on conflict (tenant_id, name) do update
  set admission = excluded.admission, debounce = excluded.debounce, owner_identities = excluded.owner_identities, settings = excluded.settings,
      sealed = coalesce(excluded.sealed, accounts.sealed),
      secrets_shown = case when excluded.sealed is null then accounts.secrets_shown else excluded.secrets_shown end
  where %(overwrite)s and (excluded.sealed is not null or (accounts.admission, accounts.debounce, accounts.owner_identities, accounts.settings)
    is distinct from (excluded.admission, excluded.debounce, excluded.owner_identities, excluded.settings))
returning xmax = 0 as created
