select id, name, prefix, role, scopes, member_id, created_at, expires_at, revoked_at from keys
 where tenant_id = %(tenant)s and (%(before)s::text is null or id < %(before)s) order by id desc limit %(limit)s
