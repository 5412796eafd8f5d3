drop function append_outbound, decide_send, end_send, begin_send;
drop type sending;
