-- Objects that nothing plays any more, and from when on no signed URL can still name them.

create table private.garbage (
  build_id uuid not null,
  prefix text not null,
  not_before timestamptz not null,
  created_at timestamptz not null default now(),
  constraint garbage_pk primary key (build_id, prefix),
  -- All of a build, or all of one phrase in it; always below one build.
  constraint garbage_ck_prefix check (
    prefix ~ '^audio/[0-9a-f-]{36}/[0-9a-f-]{36}/[0-9a-f-]{36}/([0-9a-f-]{36}/)?$'
    and split_part(prefix, '/', 4) = build_id::text
  )
);

create index garbage_idx_not_before on private.garbage (not_before);

alter table private.garbage enable row level security;
alter table private.garbage force row level security;

create policy "Workers see the garbage" on private.garbage
  for select to worker_login using (true);
create policy "Workers collect the garbage" on private.garbage
  for delete to worker_login using (true);

grant select, delete on private.garbage to worker_login;
grant update (not_before) on private.garbage to worker_login;
create policy "Workers hold garbage while they collect it" on private.garbage
  for update to worker_login using (true) with check (true);

create function private.object_prefix(owner uuid, notebook uuid, build uuid) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select 'audio/' || owner::text || '/' || notebook::text || '/' || build::text || '/'
$$;

-- A URL lives for at most 10 minutes, and may have been signed up to a minute after the rows were read; a worker that
-- was uploading has given up long before that.
create function private.queue_garbage(build uuid, object_prefix text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into private.garbage (build_id, prefix, not_before)
  values (build, object_prefix, now() + interval '11 minutes')
  on conflict on constraint garbage_pk do nothing
$$;

create function private.queue_deleted_builds() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.queue_garbage(id, private.object_prefix(user_id, notebook_id, id)) from deleted;
  return null;
end
$$;

create trigger builds_queue_garbage
  after delete on public.builds
  referencing old table as deleted
  for each statement execute function private.queue_deleted_builds();

-- Segments of a build that is queued as a whole need no entry of their own.
create function private.queue_deleted_segments() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.queue_garbage(build_id, build_prefix || phrase_id || '/')
  from (
    select distinct build_id, phrase_id, private.object_prefix(user_id, notebook_id, build_id) as build_prefix
    from deleted
  ) gone
  where not exists (
    select from private.garbage
    where garbage.build_id = gone.build_id
      and garbage.prefix = gone.build_prefix
  );
  return null;
end
$$;

create trigger audio_segments_queue_garbage
  after delete on public.audio_segments
  referencing old table as deleted
  for each statement execute function private.queue_deleted_segments();

-- A notebook that moves on to another build leaves the one before as garbage.
create function private.queue_replaced_build() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.queue_garbage(old.current_build_id, private.object_prefix(old.user_id, old.id, old.current_build_id));
  return null;
end
$$;

create trigger notebooks_queue_garbage
  after update of current_build_id on public.notebooks
  for each row
  when (old.current_build_id is not null and old.current_build_id is distinct from new.current_build_id)
  execute function private.queue_replaced_build();

-- Legal steps only; what ends keeps its counts, and what ends without success leaves its build as garbage.
create function private.step_job() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if (old.state, new.state) not in (
    ('queued', 'queued'), ('queued', 'running'), ('queued', 'canceled'), ('queued', 'failed'), ('queued', 'timeout'),
    ('running', 'running'), ('running', 'succeeded'), ('running', 'failed'), ('running', 'canceled'),
    ('running', 'timeout')
  ) then
    raise exception 'a job cannot go from % to %', old.state, new.state
      using errcode = 'check_violation', constraint = 'jobs_state_step';
  end if;
  if new.state in ('queued', 'running') then
    return new;
  end if;

  new.ended_at := clock_timestamp();
  select
    count(*),
    count(*) filter (where segments.status = 'complete'),
    count(*) filter (where segments.status = 'failed')
  into new.total_count, new.complete_count, new.failed_count
  from public.audio_segments segments
  join public.builds on builds.id = segments.build_id
  where builds.job_id = new.id;

  if new.state <> 'succeeded' then
    perform private.queue_garbage(id, private.object_prefix(user_id, notebook_id, id))
    from public.builds
    where job_id = new.id;
  end if;
  return new;
end
$$;

create trigger jobs_step
  before update on public.jobs
  for each row execute function private.step_job();

revoke all on function
  private.object_prefix(uuid, uuid, uuid),
  private.queue_garbage(uuid, text),
  private.queue_deleted_builds(),
  private.queue_deleted_segments(),
  private.queue_replaced_build(),
  private.step_job()
from public;
