-- A notebook of phrases. Its current build is added together with builds.

create table public.notebooks (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default auth.uid(),
  name text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint notebooks_pk primary key (id),
  constraint notebooks_uq_id_user unique (id, user_id),
  constraint notebooks_fk_user foreign key (user_id) references public.users (id) on delete cascade,
  constraint notebooks_ck_name check (char_length(name) between 1 and 100 and name = btrim(name))
);

create unique index notebooks_uq_user_name on public.notebooks (user_id, lower(name));
create index notebooks_idx_user_updated on public.notebooks (user_id, updated_at desc, id desc);

create trigger notebooks_touch_updated_at
  before update on public.notebooks
  for each row execute function private.touch_updated_at();

-- At most 500 notebooks. Locking the owner's row makes two inserts at once count each other.
create function private.limit_notebooks() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.users where id = new.user_id for no key update;
  if (select count(*) from public.notebooks where user_id = new.user_id) >= 500 then
    raise exception 'more than 500 notebooks'
      using errcode = 'check_violation', constraint = 'notebooks_limit';
  end if;
  return new;
end
$$;

revoke all on function private.limit_notebooks() from public;

create trigger notebooks_limit
  before insert on public.notebooks
  for each row execute function private.limit_notebooks();

alter table public.notebooks enable row level security;
alter table public.notebooks force row level security;

create policy "A learner sees their own notebooks" on public.notebooks
  for select to authenticated using (user_id = (select auth.uid()));
create policy "A learner adds notebooks of their own" on public.notebooks
  for insert to authenticated with check (user_id = (select auth.uid()));
create policy "A learner renames their own notebooks" on public.notebooks
  for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "A learner deletes their own notebooks" on public.notebooks
  for delete to authenticated using (user_id = (select auth.uid()));
create policy "Workers see every notebook" on public.notebooks
  for select to worker_login using (true);
create policy "Workers set the current build" on public.notebooks
  for update to worker_login using (true) with check (true);

-- user_id is left out of the insert grant: it is always the caller's.
grant select, insert (name), update (name), delete on public.notebooks to authenticated;
grant select on public.notebooks to worker_login;

create table public.import_logs (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  notebook_id uuid not null,
  line_no integer not null,
  raw_text text not null,
  reason text not null,
  created_at timestamptz not null default now(),
  constraint import_logs_pk primary key (id),
  constraint import_logs_fk_notebook foreign key (notebook_id, user_id)
    references public.notebooks (id, user_id) on delete cascade,
  constraint import_logs_ck_line_no check (line_no >= 1)
);

create index import_logs_idx_notebook_created on public.import_logs (notebook_id, created_at, line_no, id);

alter table public.import_logs enable row level security;
alter table public.import_logs force row level security;

create policy "A learner sees what their imports rejected" on public.import_logs
  for select to authenticated using (user_id = (select auth.uid()));

grant select on public.import_logs to authenticated;

-- `logs` is [{"line_no", "raw_text", "reason"}].
create function private.record_import_logs(notebook uuid, logs jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.import_logs (user_id, notebook_id, line_no, raw_text, reason)
  select owned.user_id, owned.id, log.line_no, log.raw_text, log.reason
  from public.notebooks owned
  cross join jsonb_to_recordset(logs) as log (line_no integer, raw_text text, reason text)
  where owned.id = notebook
    and owned.user_id = (select auth.uid())
$$;

revoke all on function private.record_import_logs(uuid, jsonb) from public;
grant execute on function private.record_import_logs(uuid, jsonb) to authenticated;
