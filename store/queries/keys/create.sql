insert into keys (tenant_id, id, name, hash, prefix, role, scopes, member_id, expires_at)
values (%(tenant)s, %(key)s, %(name)s, %(hash)s, %(prefix)s, %(role)s, %(scopes)s, %(member)s, %(expires_at)s)
on conflict (hash) do update set revoked_at = null
returning id, name, prefix, role, scopes, member_id, created_at, expires_at, revoked_at
