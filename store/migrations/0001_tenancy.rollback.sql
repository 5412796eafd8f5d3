drop table idempotency, audit, signins, keys, members, people, tenants;
drop procedure protect;
revoke usage on schema public from switchboard_app, switchboard_resolver;
