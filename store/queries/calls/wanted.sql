select 1 as wanted from calls where tenant_id = %(tenant)s and id = %(call)s and stop_asked_at is null
