drop function decide_send, promise_look, append_outbound, promise_delivery, end_send, begin_send;
drop type spoken;
drop type sending;
