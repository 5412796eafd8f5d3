insert into accounts (tenant_id, id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown)
values (%(tenant)s, %(account)s, %(channel)s, %(name)s, %(state)s, %(admission)s, %(debounce)s, %(owner_identities)s, %(settings)s, %(sealed)s, %(secrets_shown)s)
returning id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown, created_at
