drop function follow_up, stop_turn, resume_session, suspend_session, close_session, lock_session, close_locked, drop_unstarted, change_route, has_promised,
  end_with_say, end_with_call, take_batch, may_end, rest, rest_of, has_unsent;
drop type ended;
