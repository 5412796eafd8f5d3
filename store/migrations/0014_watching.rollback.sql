drop function figures_of_all;
drop type figures;
drop policy resolver on messages;
revoke select (tenant_id, conversation_id, kind, state, due_at, accepted_at) on messages from switchboard_resolver;
revoke select (id, session_id, handed_off_to) on conversations from switchboard_resolver;
revoke select (id) on sessions from switchboard_resolver;
revoke select (created_at) on approvals from switchboard_resolver;
alter table messages drop column traceparent;
