insert into idempotency (tenant_id, actor, key, request_sha256, created_at, first_at) values (%(tenant)s, %(actor)s, %(key)s, %(sha256)s, clock_timestamp(), clock_timestamp())
on conflict (tenant_id, actor, key) do update set request_sha256 = excluded.request_sha256, status = null, sealed = null, created_at = excluded.created_at,
  first_at = case when idempotency.first_at < clock_timestamp() - interval '24 h' then excluded.first_at else idempotency.first_at end
  where idempotency.first_at < clock_timestamp() - interval '24 h'
     or (idempotency.status is null and idempotency.request_sha256 = excluded.request_sha256 and idempotency.created_at < clock_timestamp() - make_interval(secs => %(broken_after)s))
returning created_at as claimed_at, first_at
