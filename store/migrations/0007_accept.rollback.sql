drop function leave_undecided, settle, session_for, accept, append_inbound, promise_routing, promise_sending, promise_session;
drop type accepted;
