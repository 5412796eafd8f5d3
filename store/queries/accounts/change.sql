update accounts set name = coalesce(%(name)s, name), state = coalesce(%(state)s, state), admission = coalesce(%(admission)s, admission),
       debounce = coalesce(%(debounce)s, debounce), owner_identities = coalesce(%(owner_identities)s, owner_identities),
       settings = coalesce(%(settings)s, settings), sealed = coalesce(%(sealed)s, sealed), secrets_shown = coalesce(%(secrets_shown)s, secrets_shown)
 where tenant_id = %(tenant)s and id = %(account)s
returning id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown, created_at
