select id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown, created_at from accounts
 where tenant_id = %(tenant)s and %(name)s in (id, name) order by id <> %(name)s limit 1
