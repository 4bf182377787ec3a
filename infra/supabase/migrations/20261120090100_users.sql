-- One row per account; it comes and goes with the account at Supabase Auth.

create table public.users (
  id uuid not null,
  created_at timestamptz not null default now(),
  constraint users_pk primary key (id),
  constraint users_fk_auth foreign key (id) references auth.users (id) on delete cascade
);

alter table public.users enable row level security;
alter table public.users force row level security;

create policy "A learner sees their own account" on public.users
  for select to authenticated using (id = (select auth.uid()));

grant select on public.users to authenticated;

create function private.create_user() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.users (id) values (new.id) on conflict do nothing;
  return new;
end
$$;

revoke all on function private.create_user() from public;

create trigger audio_loop_create_user
  after insert on auth.users
  for each row execute function private.create_user();

insert into public.users (id)
select id from auth.users
on conflict do nothing;
