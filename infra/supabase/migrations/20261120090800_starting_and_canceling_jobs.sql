-- The only ways a learner writes jobs, builds and segments.

-- Starts a job in one step: the job, its build, and one missing segment per phrase and slot.
create function private.start_job(notebook uuid, timeout_seconds integer) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  owner uuid := auth.uid();
  new_job_id uuid;
  new_build_id uuid;
begin
  perform from public.notebooks where id = notebook and user_id = owner for no key update;
  if not found then
    raise exception 'no such notebook' using errcode = 'no_data_found', constraint = 'start_job_notebook';
  end if;
  if not exists (select from public.tts_credentials where user_id = owner) then
    raise exception 'no key' using errcode = 'check_violation', constraint = 'start_job_key';
  end if;
  if (select count(*) from public.user_voices where user_id = owner) < 4 then
    raise exception 'not all voices' using errcode = 'check_violation', constraint = 'start_job_voices';
  end if;
  if not exists (select from public.phrases where notebook_id = notebook) then
    raise exception 'no phrases' using errcode = 'check_violation', constraint = 'start_job_phrases';
  end if;

  insert into public.jobs (user_id, notebook_id, timeout_sec)
  values (owner, notebook, timeout_seconds)
  returning id into new_job_id;

  insert into public.builds (user_id, notebook_id, job_id)
  values (owner, notebook, new_job_id)
  returning id into new_build_id;

  insert into public.audio_segments (user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id)
  select owner, notebook, phrases.id, user_voices.slot, new_build_id, user_voices.voice_id
  from public.phrases
  cross join public.user_voices
  where phrases.notebook_id = notebook
    and user_voices.user_id = owner;

  update public.notebooks set last_generate_job_id = new_job_id where id = notebook;
  return new_job_id;
end
$$;

create function private.cancel_job(job uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  current_state public.job_state_enum;
begin
  select state into current_state
  from public.jobs
  where id = job and user_id = (select auth.uid())
  for update;
  if not found then
    raise exception 'no such job' using errcode = 'no_data_found', constraint = 'cancel_job_job';
  end if;
  if current_state not in ('queued', 'running') then
    raise exception 'the job has ended' using errcode = 'check_violation', constraint = 'cancel_job_state';
  end if;
  update public.jobs set state = 'canceled' where id = job;
end
$$;

revoke all on function private.start_job(uuid, integer), private.cancel_job(uuid) from public;
grant execute on function private.start_job(uuid, integer), private.cancel_job(uuid) to authenticated;
