select id, channel, name, state, admission, debounce, owner_identities, settings, sealed, secrets_shown, created_at
  from accounts where tenant_id = %(tenant)s and (%(before)s::text is null or id < %(before)s)
   and (%(state)s::text is null or state = %(state)s) and (%(channel)s::text is null or channel = %(channel)s)
 order by id desc limit %(limit)s
