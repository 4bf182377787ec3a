-- English and Polish, side by side, in the order they are played.

create table public.phrases (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default auth.uid(),
  notebook_id uuid not null,
  position integer not null,
  en_text text not null,
  pl_text text not null,
  tokens jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint phrases_pk primary key (id),
  constraint phrases_uq_id_notebook unique (id, notebook_id),
  constraint phrases_uq_notebook_position unique (notebook_id, position) deferrable,
  constraint phrases_fk_notebook foreign key (notebook_id, user_id)
    references public.notebooks (id, user_id) on delete cascade,
  constraint phrases_ck_en_text check (char_length(en_text) between 1 and 2000),
  constraint phrases_ck_pl_text check (char_length(pl_text) between 1 and 2000)
);

create index phrases_idx_notebook_position on public.phrases (notebook_id, position, id);
create index phrases_idx_notebook_created on public.phrases (notebook_id, created_at, id);

create trigger phrases_touch_updated_at
  before update on public.phrases
  for each row execute function private.touch_updated_at();

-- At most 100 phrases in a notebook. Locking the notebooks makes two inserts at once count each other.
create function private.limit_phrases() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.notebooks
  where id in (select notebook_id from added)
  order by id
  for no key update;

  if exists (
    select from public.phrases
    where notebook_id in (select notebook_id from added)
    group by notebook_id
    having count(*) > 100
  ) then
    raise exception 'more than 100 phrases in a notebook'
      using errcode = 'check_violation', constraint = 'phrases_limit';
  end if;
  return null;
end
$$;

revoke all on function private.limit_phrases() from public;

create trigger phrases_limit
  after insert on public.phrases
  referencing new table as added
  for each statement execute function private.limit_phrases();

alter table public.phrases enable row level security;
alter table public.phrases force row level security;

create policy "A learner sees their own phrases" on public.phrases
  for select to authenticated using (user_id = (select auth.uid()));
create policy "A learner adds phrases to their own notebooks" on public.phrases
  for insert to authenticated with check (user_id = (select auth.uid()));
create policy "A learner edits their own phrases" on public.phrases
  for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "A learner deletes their own phrases" on public.phrases
  for delete to authenticated using (user_id = (select auth.uid()));
create policy "Workers read what is to be spoken" on public.phrases
  for select to worker_login using (true);

grant
  select,
  insert (notebook_id, position, en_text, pl_text, tokens),
  update (position, en_text, pl_text, tokens),
  delete
on public.phrases to authenticated;
grant select on public.phrases to worker_login;
