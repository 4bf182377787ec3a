-- The roles that every Supabase project has, as far as Audio Loop meets them. Roles belong to the whole server, which may
-- hold several databases, so this runs at each start and changes nothing the second time. Passwords are set elsewhere.
-- https://supabase.com/docs/guides/database/postgres/roles

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit bypassrls;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
    create role supabase_auth_admin login noinherit;
  end if;
  -- Supabase calls it postgres, and there too it is no superuser. Here that name may be the superuser's.
  if not exists (select from pg_catalog.pg_roles where rolname = 'migrator') then
    create role migrator login createrole createdb bypassrls;
  end if;
end
$$;

grant anon, authenticated, service_role to migrator with admin option;
