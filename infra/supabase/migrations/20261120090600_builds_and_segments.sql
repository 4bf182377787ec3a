-- A build is what one job makes: one audio segment, one MP3, per phrase and slot.

create type public.audio_status_enum as enum (
  'complete',  -- its MP3 is stored
  'failed',    -- it cannot be made; error_code says why
  'missing'    -- not made yet
);

create table public.builds (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  notebook_id uuid not null,
  job_id uuid not null,
  created_at timestamptz not null default now(),
  constraint builds_pk primary key (id),
  constraint builds_uq_id_notebook unique (id, notebook_id),
  constraint builds_uq_job unique (job_id),
  constraint builds_fk_notebook foreign key (notebook_id, user_id)
    references public.notebooks (id, user_id) on delete cascade,
  constraint builds_fk_job foreign key (job_id, notebook_id)
    references public.jobs (id, notebook_id) on delete cascade
);

create index builds_idx_notebook_created on public.builds (notebook_id, created_at desc, id desc);

-- The build that is played; null until the first one succeeds.
alter table public.notebooks
  add column current_build_id uuid,
  add constraint notebooks_fk_current_build foreign key (current_build_id, id)
    references public.builds (id, notebook_id) on delete set null (current_build_id)
    deferrable initially deferred;

create index notebooks_idx_current_build on public.notebooks (current_build_id);

alter table public.builds enable row level security;
alter table public.builds force row level security;

create policy "A learner sees their own builds" on public.builds
  for select to authenticated using (user_id = (select auth.uid()));
create policy "Workers see every build" on public.builds
  for select to worker_login using (true);

grant select on public.builds to authenticated, worker_login;
grant update (current_build_id) on public.notebooks to worker_login;

create table public.audio_segments (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  notebook_id uuid not null,
  phrase_id uuid not null,
  voice_slot public.voice_slot_enum not null,
  build_id uuid not null,
  -- Made of the ids, so that it can name no object of another user, notebook or build.
  path text not null generated always as (
    'audio/' || user_id::text || '/' || notebook_id::text || '/' || build_id::text || '/' || phrase_id::text || '/'
    || case voice_slot when 'EN1' then 'EN1' when 'EN2' then 'EN2' when 'EN3' then 'EN3' else 'PL' end || '.mp3'
  ) stored,
  duration_ms integer,
  size_bytes integer,
  sample_rate_hz integer not null default 22050,
  bitrate_kbps integer not null default 64,
  status public.audio_status_enum not null default 'missing',
  error_code text,
  error_details jsonb,
  word_timings jsonb,
  is_active boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- For the pipeline: the voice chosen when the job began, what was spoken, how often it was tried, and until when a
  -- worker holds it (the lease) or is asked to wait with it.
  voice_id text not null,
  text_sha256 bytea,
  attempts integer not null default 0,
  claimed_until timestamptz,
  constraint audio_segments_pk primary key (id),
  constraint audio_segments_uq_phrase_slot_build unique (phrase_id, voice_slot, build_id),
  constraint audio_segments_fk_notebook foreign key (notebook_id, user_id)
    references public.notebooks (id, user_id) on delete cascade,
  constraint audio_segments_fk_phrase foreign key (phrase_id, notebook_id)
    references public.phrases (id, notebook_id) on delete cascade,
  constraint audio_segments_fk_build foreign key (build_id, notebook_id)
    references public.builds (id, notebook_id) on delete cascade,
  constraint audio_segments_ck_duration check (duration_ms is null or duration_ms between 1 and 10000000),
  constraint audio_segments_ck_size check (size_bytes is null or size_bytes >= 0),
  constraint audio_segments_ck_sample_rate check (sample_rate_hz = 22050),
  constraint audio_segments_ck_bitrate check (bitrate_kbps = 64),
  constraint audio_segments_ck_attempts check (attempts >= 0),
  constraint audio_segments_ck_complete check (
    status <> 'complete' or (duration_ms is not null and size_bytes is not null and text_sha256 is not null)
  ),
  constraint audio_segments_ck_failed check ((status = 'failed') = (error_code is not null)),
  constraint audio_segments_ck_error_code check (error_code in (
    'invalid_key', 'quota', 'tts_timeout', 'network', 'text_too_long', 'voice_not_found', 'storage', 'internal'
  )),
  constraint audio_segments_ck_active check (not is_active or status <> 'missing')
);

-- One segment plays per phrase and slot.
create unique index audio_segments_uq_active_slot on public.audio_segments (phrase_id, voice_slot) where is_active;
create index audio_segments_idx_phrase_slot_active on public.audio_segments (phrase_id, voice_slot, is_active);
create index audio_segments_idx_build on public.audio_segments (build_id);
create index audio_segments_idx_status on public.audio_segments (build_id, status) where status <> 'complete';
-- Not only the active ones: deleting a notebook looks up all of its segments.
create index audio_segments_idx_notebook_active on public.audio_segments (notebook_id, is_active);

create trigger audio_segments_touch_updated_at
  before update on public.audio_segments
  for each row execute function private.touch_updated_at();

alter table public.audio_segments enable row level security;
alter table public.audio_segments force row level security;

create policy "A learner sees their own segments" on public.audio_segments
  for select to authenticated using (user_id = (select auth.uid()));
create policy "Workers see every segment" on public.audio_segments
  for select to worker_login using (true);
create policy "Workers record what became of a segment" on public.audio_segments
  for update to worker_login using (true) with check (true);
create policy "Workers delete the segments of collected builds" on public.audio_segments
  for delete to worker_login using (true);

-- error_details and what the pipeline keeps for itself stay inside.
grant select (
  id, user_id, notebook_id, phrase_id, voice_slot, build_id, path, duration_ms, size_bytes, sample_rate_hz,
  bitrate_kbps, status, error_code, word_timings, is_active, created_at, updated_at
) on public.audio_segments to authenticated;
grant
  select,
  update (
    duration_ms, size_bytes, status, error_code, error_details, word_timings, is_active, text_sha256, attempts,
    claimed_until
  ),
  delete
on public.audio_segments to worker_login;

-- Counts of the current build; phrases added since it was made count as missing in all four slots.
create view public.notebook_audio_statuses with (security_invoker = true) as
select
  notebooks.id as notebook_id,
  notebooks.current_build_id as build_id,
  segments.complete_count,
  segments.failed_count,
  4 * phrases.phrase_count - segments.complete_count - segments.failed_count as missing_count,
  greatest(notebooks.updated_at, phrases.updated_at, segments.updated_at) as updated_at
from public.notebooks
cross join lateral (
  select
    count(*) filter (where status = 'complete') as complete_count,
    count(*) filter (where status = 'failed') as failed_count,
    max(audio_segments.updated_at) as updated_at
  from public.audio_segments
  where audio_segments.notebook_id = notebooks.id
    and audio_segments.is_active
) segments
cross join lateral (
  select count(*) as phrase_count, max(phrases.updated_at) as updated_at
  from public.phrases
  where phrases.notebook_id = notebooks.id
) phrases;

grant select on public.notebook_audio_statuses to authenticated;
