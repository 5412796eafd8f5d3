insert into drafts (tenant_id, conversation_id, message_id, text, at) values (%(tenant)s, %(conversation)s, %(message)s, %(text)s, clock_timestamp())
on conflict (tenant_id, conversation_id) do update set message_id = excluded.message_id, text = excluded.text, at = excluded.at
