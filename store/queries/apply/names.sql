select exists (select from agents where tenant_id = %(tenant)s and name = %(agent)s) as agent,
       %(account)s::text is null or exists (select from accounts where tenant_id = %(tenant)s and name = %(account)s) as account
