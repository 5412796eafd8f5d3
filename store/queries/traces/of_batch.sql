select traceparent from messages
 where tenant_id = %(tenant)s and conversation_id = %(conversation)s and seq = any(%(seqs)s::bigint[]) and traceparent is not null order by seq
