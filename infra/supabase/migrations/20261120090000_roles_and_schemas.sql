-- Who may log in, and the schema that Supabase does not expose to browsers.
-- Passwords are not set here: the deploy step sets them from its secrets.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'api_login') then
    create role api_login login noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'worker_login') then
    create role worker_login login;
  end if;
end
$$;

comment on role api_login is 'The API functions log in as this role, which may do nothing but become authenticated.';
comment on role worker_login is 'The workers log in as this role, which may do what the pipeline needs.';

grant authenticated to api_login;

create schema private;
grant usage on schema private to authenticated, worker_login;
grant usage on schema public to worker_login;

-- Supabase grants everything on new tables in public to its three API roles. Here each table grants what is harmless.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

-- Every function here names its search_path, pg_temp last. Unnamed, pg_temp is searched first, for types too: a caller
-- could put a domain called uuid there, and a security definer function would run its check as the owner.
-- https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY
create function private.touch_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;

revoke all on function private.touch_updated_at() from public;
