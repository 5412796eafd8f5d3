-- Sessions, conversations, messages, steps and calls. `wake_at` is a promise that someone will look: null means nobody will.
create table sessions (
  tenant_id text not null references tenants,
  id text not null,
  agent_id text not null,
  mode text not null check (mode in ('one-shot', 'copilot', 'planning-control', 'hitl-interactive')),
  scope text not null,
  life text not null default 'open' check (life in ('open', 'suspended', 'handed_off', 'closed')),
  phase_reason text check (phase_reason in ('member', 'failed', 'completed', 'expired')),
  context jsonb not null default '{}',
  plan jsonb not null default '[]',
  plan_approved boolean not null default false,
  version int not null default 1,
  turn bigint not null default 0,
  step int not null default 0,
  turn_conversation_id text,
  turn_upto bigint,
  wake_at timestamptz,
  wakes smallint not null default 0,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  closed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, agent_id) references agents
);
call protect('sessions');
create unique index sessions_open_by_scope on sessions (tenant_id, agent_id, scope) where life <> 'closed';
create index sessions_promised on sessions (wake_at) where wake_at is not null;
create index sessions_by_age on sessions (tenant_id, id desc);
create index sessions_unused on sessions (last_used_at) where life <> 'closed';

create table conversations (
  tenant_id text not null references tenants,
  id text not null,
  account_id text not null,
  chat text not null,
  thread text not null default '',
  peer text not null default '',
  state text not null default 'undecided' check (state in ('undecided', 'held', 'settled', 'unbound', 'refused')),
  session_id text,
  next_session_id text,
  handed_off_to text,
  last_seq bigint not null default 0,
  wake_at timestamptz,
  wakes smallint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, account_id, chat, thread),
  foreign key (tenant_id, account_id) references accounts on delete cascade,
  foreign key (tenant_id, session_id) references sessions,
  foreign key (tenant_id, next_session_id) references sessions
);
call protect('conversations');
create index conversations_by_session on conversations (tenant_id, session_id);
create index conversations_promised on conversations (wake_at) where wake_at is not null;
create index conversations_undecided on conversations (tenant_id, account_id) where state in ('undecided', 'unbound', 'held');
create index conversations_by_age on conversations (tenant_id, id desc);

create table messages (
  tenant_id text not null references tenants,
  id text not null,
  conversation_id text not null,
  account_id text not null,
  seq bigint not null,
  direction text not null check (direction in ('inbound', 'outbound')),
  kind text not null check (kind in ('text', 'timer', 'verdict', 'note')),
  external_id text,
  sender text not null default '',
  text text not null default '',
  payload jsonb not null default '{}',
  state text not null check (state in ('accepted', 'held', 'pending', 'answered', 'refused', 'cancelled', 'parked',
                                       'intent', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown')),
  due_at timestamptz,
  session_id text,
  turn bigint,
  answered_by text,
  resend_of text,
  approval_id text,
  attempt int not null default 0,
  epoch bigint,
  receipt text,
  error text,
  accepted_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, conversation_id, seq),
  foreign key (tenant_id, conversation_id) references conversations on delete cascade,
  foreign key (tenant_id, answered_by) references messages,
  foreign key (tenant_id, resend_of) references messages
);
call protect('messages');
create unique index messages_once on messages (tenant_id, account_id, external_id) where external_id is not null;
create index messages_pending on messages (tenant_id, conversation_id, due_at) where state = 'pending';
create index messages_held on messages (tenant_id, conversation_id) where state = 'held';
create index messages_unsent on messages (tenant_id, conversation_id, seq) where state in ('intent', 'sending');
create index messages_uncertain on messages (tenant_id, id) where state in ('unknown', 'parked', 'failed');
create index messages_of_session on messages (tenant_id, session_id, accepted_at desc);
create index messages_answered_by on messages (tenant_id, answered_by) where answered_by is not null;
create index messages_resend_of on messages (tenant_id, resend_of) where resend_of is not null;

create table steps (
  tenant_id text not null references tenants,
  session_id text not null,
  turn bigint not null,
  n int not null,
  kind text not null check (kind in ('call', 'say')),
  call_id text,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, session_id, turn, n),
  foreign key (tenant_id, session_id) references sessions on delete cascade
);
call protect('steps');

create table calls (
  tenant_id text not null references tenants,
  id text not null,
  session_id text not null,
  conversation_id text not null,
  turn bigint not null,
  n int not null,
  tool text not null,
  arguments jsonb not null,
  arguments_sha256 text not null,
  gate text not null check (gate in ('run', 'ask', 'deny')),
  ask jsonb not null default '{}',
  state text not null check (state in ('ready', 'asking', 'waiting', 'approved', 'denied', 'started', 'done', 'failed', 'unknown', 'cancelled')),
  result jsonb,
  late_outcome jsonb,
  approval_id text,
  started_by text,
  started_at timestamptz,
  stop_asked_at timestamptz,
  done_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, session_id, turn, n),
  foreign key (tenant_id, session_id) references sessions on delete cascade
);
call protect('calls');

create table requests (
  tenant_id text not null references tenants,
  id bigint generated always as identity,
  session_id text not null,
  turn bigint not null,
  n int not null,
  attempt int not null,
  model text not null,
  outcome text not null check (outcome in ('used', 'discarded', 'failed')),
  tokens_in int not null default 0,
  tokens_out int not null default 0,
  cost_usd numeric,
  took_seconds double precision not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
call protect('requests', 'select, insert, delete');
create index requests_by_session on requests (tenant_id, session_id, id);

create table demo_refunds (
  tenant_id text not null references tenants,
  id bigint generated always as identity,
  call_id text not null,
  amount numeric not null,
  "to" text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
call protect('demo_refunds', 'select, insert');

-- What is being written right now: shown while it grows, gone when the message is there. Not durable on purpose.
create unlogged table drafts (
  tenant_id text not null references tenants,
  conversation_id text not null,
  message_id text not null,
  text text not null default '',
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, conversation_id)
);
call protect('drafts');
