drop trigger call_changed on calls;
drop function record_call_event;
