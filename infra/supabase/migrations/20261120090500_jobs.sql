-- One run of "make the audio of this notebook", from the request to its end.

create type public.job_type_enum as enum (
  'GENERATE_REBUILD'  -- every phrase in every slot, from nothing
);

create type public.job_state_enum as enum (
  'queued',     -- accepted; fan_out has not picked it up
  'running',    -- fan_out has; its time is running
  'succeeded',  -- its build was activated
  'failed',     -- Google refused the key, or more than half of the segments failed
  'canceled',   -- the learner asked for it
  'timeout'     -- the deadline passed
);

create table public.jobs (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  notebook_id uuid not null,
  type public.job_type_enum not null default 'GENERATE_REBUILD',
  state public.job_state_enum not null default 'queued',
  started_at timestamptz,
  ended_at timestamptz,
  timeout_sec integer,
  error jsonb,
  created_at timestamptz not null default now(),
  -- How far the job had come when it ended; its segments may be gone by then.
  total_count integer,
  complete_count integer,
  failed_count integer,
  constraint jobs_pk primary key (id),
  constraint jobs_uq_id_notebook unique (id, notebook_id),
  constraint jobs_fk_notebook foreign key (notebook_id, user_id)
    references public.notebooks (id, user_id) on delete cascade,
  constraint jobs_ck_timeout check (timeout_sec is null or timeout_sec between 1 and 86400),
  constraint jobs_ck_started check (state <> 'running' or started_at is not null),
  constraint jobs_ck_ended check ((ended_at is not null) = (state not in ('queued', 'running')))
);

-- At most one job of a notebook is under way.
create unique index jobs_uq_notebook_active on public.jobs (notebook_id) where state in ('queued', 'running');
create index jobs_idx_notebook_started on public.jobs (notebook_id, started_at desc);
create index jobs_idx_notebook_created on public.jobs (notebook_id, created_at desc, id desc);
create index jobs_idx_user_started on public.jobs (user_id, started_at desc);
-- For the sweep, which asks for jobs under way. Behind row-level security the planner does not know how rare a state is,
-- but it does know how rare a null is: with the states as the predicate it reads the whole table.
create index jobs_idx_state on public.jobs (state) where ended_at is null;

alter table public.notebooks
  add column last_generate_job_id uuid,
  add constraint notebooks_fk_last_generate_job foreign key (last_generate_job_id, id)
    references public.jobs (id, notebook_id) on delete set null (last_generate_job_id)
    deferrable initially deferred;

create index notebooks_idx_last_generate_job on public.notebooks (last_generate_job_id);

-- A job that was never started counts its time from its creation; one without a limit of its own gets a day.
create function private.job_deadline(started_at timestamptz, created_at timestamptz, timeout_sec integer)
returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(started_at, created_at) + make_interval(secs => coalesce(timeout_sec, 86400))
$$;

revoke all on function private.job_deadline(timestamptz, timestamptz, integer) from public;
grant execute on function private.job_deadline(timestamptz, timestamptz, integer) to worker_login;

alter table public.jobs enable row level security;
alter table public.jobs force row level security;

create policy "A learner sees their own jobs" on public.jobs
  for select to authenticated using (user_id = (select auth.uid()));
create policy "Workers see every job" on public.jobs
  for select to worker_login using (true);
create policy "Workers move jobs along" on public.jobs
  for update to worker_login using (true) with check (true);

grant select on public.jobs to authenticated;
grant select, update (state, started_at, error) on public.jobs to worker_login;
