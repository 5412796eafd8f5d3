select id, session_id, conversation_id, turn, n, tool, arguments, arguments_sha256, gate, ask, state, result, approval_id from calls where tenant_id = %(tenant)s and id = %(call)s
