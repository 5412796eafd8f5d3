-- Accounts (our logins on a channel), the peers seen there, the agents, and the bindings from an address pattern to an agent.
create table accounts (
  tenant_id text not null references tenants,
  id text not null unique,
  channel text not null,
  name text not null,
  state text not null default 'new' check (state in ('new', 'pairing', 'connected', 'reconnecting', 'logged_out', 'error')),
  admission text not null default 'ask' check (admission in ('open', 'ask', 'code', 'closed')),
  debounce double precision not null default 0 check (debounce between 0 and 60),
  owner_identities text[] not null default '{}',
  settings jsonb not null default '{}',
  sealed bytea,
  secrets_shown jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
call protect('accounts');

create table peers (
  tenant_id text not null references tenants,
  account_id text not null,
  external_id text not null,
  name text not null default '',
  person_id text,
  first_seen_at timestamptz not null default now(),
  primary key (tenant_id, account_id, external_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade,
  foreign key (tenant_id, person_id) references people
);
call protect('peers');

create table agents (
  tenant_id text not null references tenants,
  id text not null,
  name text not null,
  persona text not null default '',
  backend text not null,
  model text not null default '',
  mode text not null default 'copilot' check (mode in ('one-shot', 'copilot', 'planning-control', 'hitl-interactive')),
  language text not null default 'en',
  tools jsonb not null default '[]',
  version int not null default 1,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
call protect('agents');

create table bindings (
  tenant_id text not null references tenants,
  id text not null,
  account_id text,
  chat text not null default '*',
  thread text not null default '*',
  agent_id text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, account_id) references accounts on delete cascade,
  foreign key (tenant_id, agent_id) references agents on delete cascade
);
call protect('bindings');
create unique index bindings_by_pattern on bindings (tenant_id, coalesce(account_id, ''), chat, thread);
