-- Approvals and their votes. `approvers` is {"of": [...], "quorum": n} or {"of": [...], "sequence": true}.
create table approvals (
  tenant_id text not null references tenants,
  id text not null,
  kind text not null default 'approve' check (kind in ('approve', 'choose', 'form', 'answer', 'edit')),
  action text not null,
  arguments jsonb not null default '{}',
  arguments_sha256 text not null,
  purpose text not null default 'gate' check (purpose in ('gate', 'outcome', 'program')),
  call_id text,
  session_id text,
  conversation_id text,
  requester text not null,
  allow_self boolean,  -- null: whoever asks does not decide, but for the owner; true: may; false: not even the owner
  approvers jsonb not null,
  options jsonb,
  form jsonb,
  context text not null default '',
  deadline_at timestamptz not null,
  on_timeout text not null default 'deny' check (on_timeout in ('deny', 'approve', 'cancel')),
  state text not null default 'pending' check (state in ('pending', 'decided', 'expired', 'cancelled')),
  verdict text check (verdict in ('approved', 'denied', 'expired', 'cancelled')),
  decided_by text,
  decided_at timestamptz,
  comment text,
  answer jsonb,
  wake_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  foreign key (tenant_id, call_id) references calls on delete cascade,
  foreign key (tenant_id, session_id) references sessions on delete cascade,
  foreign key (tenant_id, conversation_id) references conversations on delete cascade,
  check ((state = 'pending') = (verdict is null))
);
call protect('approvals');
create unique index approvals_per_call on approvals (tenant_id, call_id, purpose) where call_id is not null;
create index approvals_pending on approvals (tenant_id, session_id) where state = 'pending';
create index approvals_promised on approvals (wake_at) where wake_at is not null;
create index approvals_by_age on approvals (tenant_id, id desc);
create index approvals_by_conversation on approvals (tenant_id, conversation_id);

create table votes (
  tenant_id text not null references tenants,
  approval_id text not null,
  member_id text not null,
  verdict text not null check (verdict in ('approved', 'denied')),
  comment text not null default '',
  via text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, approval_id, member_id),
  foreign key (tenant_id, approval_id) references approvals on delete cascade
);
call protect('votes', 'select, insert');
