insert into signins (tenant_id, hash, member_id, expires_at) values (%(tenant)s, %(hash)s, %(member)s, clock_timestamp() + make_interval(mins => %(minutes)s))
