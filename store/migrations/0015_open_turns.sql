-- A look asks which conversation has a turn of another session open. Without this it read every session there is.
create index sessions_open_turn on sessions (tenant_id, turn_conversation_id) where step > 0;
