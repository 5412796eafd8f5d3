update conversations set peer = '' where tenant_id = %(tenant)s and id = any (%(shared)s) and peer = any (%(peers)s)
