update sessions set context = jsonb_set(context, array[%(key)s::text], %(value)s), version = version + 1 where tenant_id = %(tenant)s and id = %(session)s
