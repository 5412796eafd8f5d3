update people set name = '', tier = 'guest' where tenant_id = %(tenant)s and id = any (%(people)s)
