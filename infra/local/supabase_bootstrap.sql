-- What a fresh Supabase project already has, as far as Audio Loop meets it. It runs once in each database, as the
-- superuser: a migration may take back what is granted here, and a later start must not grant it again.

grant usage on schema public to anon, authenticated, service_role;

alter default privileges for role migrator in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role migrator in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role migrator in schema public
  grant all on functions to anon, authenticated, service_role;

create schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to migrator;

create schema auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role, migrator;

-- Everything below belongs to the auth server, which logs in as this role.
set local role supabase_auth_admin;

create table auth.users (
  id uuid not null,
  aud varchar(255),
  role varchar(255),
  email varchar(255),
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  created_at timestamptz,
  updated_at timestamptz,
  is_anonymous boolean not null default false,
  constraint users_pkey primary key (id)
);

create unique index users_email_key on auth.users (lower(email));

create table auth.sessions (
  id uuid not null,
  user_id uuid not null,
  created_at timestamptz not null,
  refreshed_at timestamptz,
  constraint sessions_pkey primary key (id),
  constraint sessions_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

create index sessions_user_id_idx on auth.sessions (user_id);

create table auth.refresh_tokens (
  id bigint generated always as identity,
  token varchar(255) not null,
  session_id uuid not null,
  parent varchar(255),
  revoked boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint refresh_tokens_pkey primary key (id),
  constraint refresh_tokens_token_key unique (token),
  constraint refresh_tokens_session_id_fkey foreign key (session_id) references auth.sessions (id) on delete cascade
);

create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id, revoked);

alter table auth.users enable row level security;
alter table auth.sessions enable row level security;
alter table auth.refresh_tokens enable row level security;

grant select, references, trigger on auth.users to migrator;

-- The claims of the request: one setting with all of them, or the older one setting for each.
-- https://supabase.com/docs/guides/database/postgres/row-level-security#helper-functions

create function auth.uid() returns uuid
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create function auth.role() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create function auth.email() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

create function auth.jwt() returns jsonb
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

reset role;
