select 1 as unchanged from sessions
 where tenant_id = %(tenant)s and id = %(session)s and life = 'open' and turn = %(turn)s and step = %(step)s
