drop function finish_call, start_call;
drop type begun;
drop function expire_approval, decide, answers, turn_to_vote, lock_approval, conclude, open_for_call, lock_call;
drop type decision;
