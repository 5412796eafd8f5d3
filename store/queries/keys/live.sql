select id, name, prefix, role, scopes, member_id, created_at, expires_at, revoked_at from keys
 where tenant_id = %(tenant)s and hash = %(hash)s and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
