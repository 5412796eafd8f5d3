select life, version from sessions where tenant_id = %(tenant)s and id = %(session)s for update
