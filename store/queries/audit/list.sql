select id, at, actor, action, subject, details from audit
 where tenant_id = %(tenant)s and (%(before)s::bigint is null or id < %(before)s) and (%(subject)s::text is null or subject = %(subject)s)
   and (%(actor)s::text is null or actor = %(actor)s) and (%(action)s::text is null or action = %(action)s)
 order by id desc limit %(limit)s
