-- Opening, deciding and expiring an approval; starting and finishing a call. A late click and the clock have one winner here.
create type decision as (status text, verdict text, state text, decided_by text, decided_at timestamptz, comment text,
                         session_id text, wake text, wake_id text);

-- Locks a call behind its conversation and session, and the session that has the conversation now. Null: there is no such call.
create function lock_call(p_tenant text, p_call text) returns calls language plpgsql as $$
declare k calls;
begin
  select * into k from calls where tenant_id = p_tenant and id = p_call;
  perform from conversations where tenant_id = p_tenant and id = k.conversation_id for no key update;
  perform from sessions where tenant_id = p_tenant and id in (
    select k.session_id union select session_id from conversations where tenant_id = p_tenant and id = k.conversation_id) order by id for no key update;
  select * into k from calls where tenant_id = p_tenant and id = p_call for no key update;
  return k;
end $$;

-- Opens what an agent's call asks for: one commit, unique per call, the call waits. Returns the approval's id (an earlier one's, if any).
create function open_for_call(p_tenant text, p_call text, p_purpose text, p_approval text, p_kind text, p_action text, p_requester text,
                              p_approvers jsonb, p_allow_self boolean, p_options jsonb, p_within double precision, p_on_timeout text)
returns text language plpgsql as $$
declare
  k calls;
  s sessions;
  existing text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  k := lock_call(p_tenant, p_call);
  if k.id is null then return null; end if;
  select * into s from sessions where tenant_id = p_tenant and id = k.session_id;
  select id into existing from approvals where tenant_id = p_tenant and call_id = p_call and purpose = p_purpose;
  if existing is not null then return existing; end if;
  if s.life = 'closed' or k.state <> (case p_purpose when 'gate' then 'asking' else 'unknown' end) then return null; end if;
  insert into approvals (tenant_id, id, kind, action, arguments, arguments_sha256, purpose, call_id, session_id, conversation_id, requester, allow_self,
                         approvers, options, deadline_at, on_timeout, wake_at)
  values (p_tenant, p_approval, p_kind, p_action, k.arguments, k.arguments_sha256, p_purpose, k.id, k.session_id, k.conversation_id, p_requester, p_allow_self,
          p_approvers, p_options, clock_timestamp() + make_interval(secs => p_within), p_on_timeout, clock_timestamp() + interval '2 s');
  if p_purpose = 'gate' then
    update calls set state = 'waiting', approval_id = p_approval where tenant_id = p_tenant and id = p_call;
  else
    update calls set approval_id = coalesce(approval_id, p_approval) where tenant_id = p_tenant and id = p_call;
  end if;
  return p_approval;
end $$;

-- The verdict becomes true: on the approval, on the call, and as a row in the conversation exactly as ACCEPT puts one there.
-- The caller holds the locks of conversation, session and approval.
create function conclude(a approvals, p_state text, p_verdict text, p_by text, p_comment text, p_answer jsonb, p_message text)
returns decision language plpgsql as $$
declare
  c conversations;
  got accepted;
  d decision;
begin
  update approvals set state = p_state, verdict = p_verdict, decided_by = p_by, decided_at = clock_timestamp(), comment = nullif(p_comment, ''),
         answer = p_answer, wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = a.tenant_id and id = a.id returning decided_at into d.decided_at;
  if a.purpose = 'gate' then
    update calls set state = case p_verdict when 'approved' then 'approved' when 'cancelled' then 'cancelled' else 'denied' end
     where tenant_id = a.tenant_id and id = a.call_id and state = 'waiting';
  elsif a.purpose = 'outcome' then
    update calls set state = case when p_verdict = 'approved' and p_answer = '"done"' then 'done' else 'failed' end, done_at = clock_timestamp(),
           result = coalesce(result, jsonb_build_object('outcome', case when p_verdict = 'approved' then p_answer else '"not known"' end, 'said_by', p_by))
     where tenant_id = a.tenant_id and id = a.call_id and state = 'unknown';
  end if;
  if a.session_id is not null then
    update sessions set version = version + 1,
           plan_approved = plan_approved or (p_verdict = 'approved' and a.purpose = 'gate' and a.action = 'set_plan')
     where tenant_id = a.tenant_id and id = a.session_id;
  end if;
  d.status := 'decided'; d.verdict := p_verdict; d.state := p_state; d.decided_by := p_by; d.comment := p_comment; d.session_id := a.session_id;
  if a.conversation_id is not null then
    select * into c from conversations where tenant_id = a.tenant_id and id = a.conversation_id;
    got := append_inbound(c, p_message, 'verdict', 'verdict:' || a.id, '', '', '{}', clock_timestamp(), a.id);
    d.wake := got.wake;
    d.wake_id := case got.wake when 'session' then got.session_id when 'routing' then got.conversation_id end;
  end if;
  return d;
end $$;

-- Locks an approval behind its conversation and session, and the session that has the conversation now. No row: there is no such approval.
create function lock_approval(p_tenant text, p_approval text) returns setof approvals language plpgsql as $$
declare a approvals;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into a from approvals where tenant_id = p_tenant and id = p_approval;
  perform from conversations where tenant_id = p_tenant and id = a.conversation_id for no key update;
  perform from sessions where tenant_id = p_tenant and id in (
    select a.session_id union select session_id from conversations where tenant_id = p_tenant and id = a.conversation_id) order by id for no key update;
  return query select * from approvals where tenant_id = p_tenant and id = p_approval for no key update;
end $$;

-- Who may vote now: with a sequence only the next in line, else any of those named.
create function turn_to_vote(a approvals, p_identities text[], p_votes int) returns boolean language sql immutable as $$
  select case when coalesce((a.approvers ->> 'sequence')::boolean, false)
    then (a.approvers -> 'of' ->> p_votes) = any (p_identities)
    else exists (select from jsonb_array_elements_text(a.approvers -> 'of') as named where named = any (p_identities)) end
$$;

-- Whether an answer is one of the options, or there at all where words were asked for.
create function answers(a approvals, p_answer jsonb) returns boolean language sql immutable as $$
  select case a.kind when 'choose' then a.options is null or coalesce(a.options @> jsonb_build_array(p_answer), false)
                     when 'answer' then p_answer is not null else true end
$$;

create function decide(p_tenant text, p_approval text, p_member text, p_identities text[], p_verdict text, p_comment text, p_answer jsonb,
                       p_sha256 text, p_via text, p_message text)
returns decision language plpgsql as $$
declare
  a approvals;
  d decision;
  mine votes;
  approving int;
  needed int;
begin
  select * into a from lock_approval(p_tenant, p_approval);
  if a.id is null then d.status := 'not_found'; return d; end if;
  d.state := a.state; d.verdict := a.verdict; d.decided_by := a.decided_by; d.decided_at := a.decided_at; d.comment := a.comment; d.session_id := a.session_id;
  select * into mine from votes where tenant_id = p_tenant and approval_id = a.id and member_id = p_member;
  if mine.verdict = p_verdict then d.status := 'repeated'; return d; end if;
  if a.state = 'expired' then d.status := 'expired'; return d; end if;
  if a.state <> 'pending' or mine.verdict is not null then d.status := 'already_decided'; return d; end if;
  if clock_timestamp() >= a.deadline_at then d.status := 'expired'; return d; end if;
  if a.requester = any (p_identities) and not coalesce(a.allow_self, 'owner' = any (p_identities)) then d.status := 'self_decision'; return d; end if;
  select count(*) into approving from votes where tenant_id = p_tenant and approval_id = a.id and verdict = 'approved';
  if not turn_to_vote(a, p_identities, approving) then d.status := 'not_an_approver'; return d; end if;
  if p_sha256 is not null and p_sha256 <> a.arguments_sha256 then d.status := 'arguments_changed'; return d; end if;
  if p_verdict = 'approved' and not answers(a, p_answer) then d.status := 'answer_missing'; return d; end if;
  insert into votes (tenant_id, approval_id, member_id, verdict, comment, via) values (p_tenant, a.id, p_member, p_verdict, p_comment, p_via);
  insert into audit (tenant_id, actor, action, subject, details) values (p_tenant, p_member, 'approval.' || p_verdict, a.id, jsonb_build_object('via', p_via, 'arguments_sha256', a.arguments_sha256));
  needed := case when coalesce((a.approvers ->> 'sequence')::boolean, false) then jsonb_array_length(a.approvers -> 'of') else coalesce((a.approvers ->> 'quorum')::int, 1) end;
  if p_verdict = 'approved' and approving + 1 < needed then d.status := 'voted'; return d; end if;
  return conclude(a, 'decided', p_verdict, p_member, p_comment, p_answer, p_message);
end $$;

-- The clock's word, where the deadline is still the one that was armed and has passed.
create function expire_approval(p_tenant text, p_approval text, p_armed_at timestamptz, p_message text) returns decision language plpgsql as $$
declare
  a approvals;
  d decision;
begin
  select * into a from lock_approval(p_tenant, p_approval);
  if a.id is null then d.status := 'not_found'; return d; end if;
  if a.state <> 'pending' or a.deadline_at <> p_armed_at or clock_timestamp() < a.deadline_at then
    d.status := 'unchanged'; d.state := a.state; d.verdict := a.verdict;
    return d;
  end if;
  return case a.on_timeout
    when 'approve' then conclude(a, 'decided', 'approved', 'policy', null, null, p_message)
    when 'cancel' then conclude(a, 'cancelled', 'cancelled', 'policy', null, null, p_message)
    else conclude(a, 'expired', 'expired', 'policy', null, null, p_message) end;
end $$;

create type begun as (status text, tool text, arguments jsonb, conversation_id text, session_id text, result jsonb);

-- CAS ready|approved → started, if the session is live and the arguments are those that were judged. `broken`: another attempt began it;
-- p_by names one attempt, so its own question, repeated because the answer was lost, is answered alike.
create function start_call(p_tenant text, p_call text, p_by text, p_sha256 text) returns begun language plpgsql as $$
declare
  k calls;
  s sessions;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  k := lock_call(p_tenant, p_call);
  if k.id is null then return ('gone', null, null, null, null, null)::begun; end if;
  select * into s from sessions where tenant_id = p_tenant and id = k.session_id;
  if k.state = 'started' then
    return (case when k.started_by = p_by then 'started' else 'broken' end, k.tool, k.arguments, k.conversation_id, k.session_id, null)::begun;
  end if;
  if k.state not in ('ready', 'approved') then return (k.state, k.tool, k.arguments, k.conversation_id, k.session_id, k.result)::begun; end if;
  if s.life = 'closed' or (s.life <> 'open' and exists (select from conversations where tenant_id = p_tenant and id = k.conversation_id and session_id = s.id)) then
    return ('stopped', k.tool, null, null, k.session_id, null)::begun;
  end if;
  if k.arguments_sha256 <> p_sha256 then
    update calls set state = 'failed', result = '"The arguments are not those that were judged; nothing was done."', done_at = clock_timestamp() where tenant_id = p_tenant and id = p_call;
    return ('failed', k.tool, null, null, k.session_id, null)::begun;
  end if;
  update calls set state = 'started', started_by = p_by, started_at = clock_timestamp() where tenant_id = p_tenant and id = p_call;
  return ('started', k.tool, k.arguments, k.conversation_id, k.session_id, null)::begun;
end $$;

-- CAS started → done or failed. A finisher that comes too late records its outcome and answers the question that was asked meanwhile;
-- where nobody was asked yet, the call is simply over.
create function finish_call(p_tenant text, p_call text, p_result jsonb, p_failed boolean, p_message text) returns decision language plpgsql as $$
declare
  a approvals;
  k calls;
  d decision;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  update calls set state = case when p_failed then 'failed' else 'done' end, result = p_result, done_at = clock_timestamp()
   where tenant_id = p_tenant and id = p_call and state = 'started';
  if found then d.status := 'finished'; return d; end if;
  select * into k from calls where tenant_id = p_tenant and id = p_call;
  if k.state = 'unknown' then
    k := lock_call(p_tenant, p_call);
    select * into a from approvals where tenant_id = p_tenant and call_id = p_call and purpose = 'outcome' for no key update;
  end if;
  if k.state = 'unknown' and a.id is null then
    update calls set state = case when p_failed then 'failed' else 'done' end, result = p_result, late_outcome = p_result, done_at = clock_timestamp()
     where tenant_id = p_tenant and id = p_call;
    d.status := 'finished';
    if promise_session(p_tenant, k.session_id) then d.wake := 'session'; d.wake_id := k.session_id; end if;
    return d;
  end if;
  update calls set late_outcome = p_result, result = case when a.state = 'pending' then p_result else result end
   where tenant_id = p_tenant and id = p_call and state in ('unknown', 'done', 'failed', 'cancelled') and late_outcome is null and result is distinct from p_result;
  if found and a.state = 'pending' then
    return conclude(a, 'decided', 'approved', 'policy', null, case when p_failed then '"not done"' else '"done"' end::jsonb, p_message);
  end if;
  d.status := 'late';
  return d;
end $$;
