update approvals set arguments = '{}', arguments_sha256 = '', options = null, form = null, context = '', comment = null, answer = null
 where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s)
