update signins set used_at = clock_timestamp() where tenant_id = %(tenant)s and hash = %(hash)s and used_at is null and expires_at > clock_timestamp() returning member_id
