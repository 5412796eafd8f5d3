-- Roles, tenants, members and keys. The app's role owns nothing; row-level security is forced on every table.
-- `protect(t)` is what makes a table a tenant's: every later migration calls it for every table it creates.
do $$ begin
  if not exists (select from pg_roles where rolname = 'switchboard_app') then create role switchboard_app; end if;
  if not exists (select from pg_roles where rolname = 'switchboard_resolver') then create role switchboard_resolver nologin; end if;
  if not pg_has_role(current_user, 'switchboard_resolver', 'set') then execute format('grant switchboard_resolver to %I', current_user); end if;
end $$;

grant usage on schema public to switchboard_app, switchboard_resolver;

create procedure protect(t regclass, can text default 'select, insert, update, delete') language plpgsql as $$
begin
  execute format('alter table %s enable row level security', t);
  execute format('alter table %s force row level security', t);
  execute format('create policy tenant on %s to switchboard_app using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')) with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), ''''))', t);
  execute format('create policy migration on %s to %I using (true) with check (true)', t, current_user);
  execute format('grant %s on %s to switchboard_app', can, t);
end $$;

create table tenants (
  tenant_id text primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  created_at timestamptz not null default now()
);
call protect('tenants', 'select');

create table people (
  tenant_id text not null references tenants,
  id text not null,
  name text not null default '',
  tier text not null default 'guest' check (tier in ('owner', 'admitted', 'guest', 'blocked')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
call protect('people');

create table members (
  tenant_id text not null references tenants,
  id text not null,
  name text not null,
  role text not null check (role in ('platform_admin', 'customer_admin', 'customer_operator')),
  person_id text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name),
  foreign key (tenant_id, person_id) references people
);
call protect('members');

create table keys (
  tenant_id text not null references tenants,
  id text not null,
  name text not null,
  hash bytea not null unique,
  prefix text not null,
  role text not null check (role in ('platform_admin', 'customer_admin', 'customer_operator')),
  scopes text[] not null default '{}',
  member_id text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, member_id) references members on delete cascade
);
call protect('keys');

create table signins (
  tenant_id text not null references tenants,
  hash bytea not null unique,
  member_id text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, hash),
  foreign key (tenant_id, member_id) references members on delete cascade
);
call protect('signins');

create table audit (
  tenant_id text not null references tenants,
  id bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null default '{}',
  primary key (tenant_id, id)
);
call protect('audit', 'select, insert');
create index audit_by_subject on audit (tenant_id, subject, id);

create table idempotency (
  tenant_id text not null references tenants,
  actor text not null,
  key text not null,
  request_sha256 text not null,
  status int,
  body jsonb,
  created_at timestamptz not null default now(),
  primary key (tenant_id, actor, key)
);
call protect('idempotency');
create index idempotency_by_age on idempotency (tenant_id, created_at);
