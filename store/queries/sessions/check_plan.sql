update sessions set plan = jsonb_set(plan, array[%(index)s::text, 'done'], 'true'), version = version + 1
 where tenant_id = %(tenant)s and id = %(session)s and jsonb_array_length(plan) > %(index)s::int
