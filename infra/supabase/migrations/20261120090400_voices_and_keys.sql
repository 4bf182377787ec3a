-- Which voice speaks in which slot, and the learner's own Google key.

create type public.voice_slot_enum as enum (
  'EN1',  -- the three English voices, in the order they are played
  'EN2',
  'EN3',
  'PL'    -- the Polish voice, last
);

create table public.user_voices (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null default auth.uid(),
  slot public.voice_slot_enum not null,
  language text not null,
  voice_id text not null,
  created_at timestamptz not null default now(),
  constraint user_voices_pk primary key (id),
  constraint user_voices_uq_user_slot unique (user_id, slot),
  constraint user_voices_uq_user_language_voice unique (user_id, language, voice_id),
  constraint user_voices_fk_user foreign key (user_id) references public.users (id) on delete cascade,
  constraint user_voices_ck_slot_language check (language = case when slot = 'PL' then 'pl' else 'en' end),
  constraint user_voices_ck_voice_language check (split_part(voice_id, '-', 1) = language),
  constraint user_voices_ck_voice_id check (char_length(voice_id) between 1 and 100)
);

alter table public.user_voices enable row level security;
alter table public.user_voices force row level security;

create policy "A learner sees their own voices" on public.user_voices
  for select to authenticated using (user_id = (select auth.uid()));
create policy "A learner chooses voices for themselves" on public.user_voices
  for insert to authenticated with check (user_id = (select auth.uid()));
create policy "A learner changes their own voices" on public.user_voices
  for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "A learner drops their own voices" on public.user_voices
  for delete to authenticated using (user_id = (select auth.uid()));

grant select, insert (slot, language, voice_id), update (language, voice_id), delete
on public.user_voices to authenticated;

-- The key is encrypted by the application; the database never sees it in clear.
create table public.tts_credentials (
  user_id uuid not null,
  encrypted_key bytea not null,
  key_fingerprint text not null,
  last_validated_at timestamptz not null,
  is_configured boolean not null generated always as (encrypted_key is not null) stored,
  created_at timestamptz not null default now(),
  constraint tts_credentials_pk primary key (user_id),
  constraint tts_credentials_fk_user foreign key (user_id) references public.users (id) on delete cascade,
  constraint tts_credentials_ck_fingerprint check (key_fingerprint ~ '^SHA256:[0-9a-f]{16}$')
);

alter table public.tts_credentials enable row level security;
alter table public.tts_credentials force row level security;

create policy "A learner sees the state of their own key" on public.tts_credentials
  for select to authenticated using (user_id = (select auth.uid()));
create policy "Workers read the key of a job's owner" on public.tts_credentials
  for select to worker_login using (true);
create policy "Workers encrypt a key again under the primary key" on public.tts_credentials
  for update to worker_login using (true) with check (true);

grant select (user_id, key_fingerprint, last_validated_at, is_configured, created_at)
on public.tts_credentials to authenticated;
grant select (user_id, encrypted_key), update (encrypted_key) on public.tts_credentials to worker_login;

-- That this user has tested this key, and when; nothing that leads back to the key.
create table private.tts_key_tests (
  user_id uuid not null,
  key_hmac bytea not null,
  tested_at timestamptz not null default now(),
  constraint tts_key_tests_pk primary key (user_id, key_hmac),
  constraint tts_key_tests_fk_user foreign key (user_id) references public.users (id) on delete cascade
);

create index tts_key_tests_idx_tested on private.tts_key_tests (tested_at);

alter table private.tts_key_tests enable row level security;
alter table private.tts_key_tests force row level security;

create policy "Workers see which key tests are old" on private.tts_key_tests
  for select to worker_login using (true);
create policy "Workers forget old key tests" on private.tts_key_tests
  for delete to worker_login using (true);

grant select (tested_at), delete on private.tts_key_tests to worker_login;

create function private.record_key_test(tested_key_hmac bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into private.tts_key_tests (user_id, key_hmac)
  values ((select auth.uid()), tested_key_hmac)
  on conflict on constraint tts_key_tests_pk do update set tested_at = now()
$$;

-- Stores a key that this user tested within the last 15 minutes, and no other.
create function private.store_key(tested_key_hmac bytea, new_encrypted_key bytea, new_fingerprint text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  validated_at timestamptz;
begin
  select tested_at into validated_at
  from private.tts_key_tests
  where user_id = (select auth.uid())
    and key_hmac = tested_key_hmac
    and tested_at > now() - interval '15 minutes';
  if not found then
    raise exception 'the key was not tested'
      using errcode = 'check_violation', constraint = 'tts_credentials_tested';
  end if;

  insert into public.tts_credentials (user_id, encrypted_key, key_fingerprint, last_validated_at)
  values ((select auth.uid()), new_encrypted_key, new_fingerprint, validated_at)
  on conflict on constraint tts_credentials_pk do update
  set encrypted_key = excluded.encrypted_key,
      key_fingerprint = excluded.key_fingerprint,
      last_validated_at = excluded.last_validated_at;
end
$$;

create function private.delete_key() returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from public.tts_credentials where user_id = (select auth.uid());
  delete from private.tts_key_tests where user_id = (select auth.uid());
$$;

-- The voice catalogue is what Google offers to this key, so the API must be able to decrypt it.
create function private.read_encrypted_key() returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select encrypted_key from public.tts_credentials where user_id = (select auth.uid())
$$;

-- Compares with the old value, so that a key stored meanwhile is not lost.
create function private.replace_encrypted_key(old_encrypted_key bytea, new_encrypted_key bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  update public.tts_credentials
  set encrypted_key = new_encrypted_key
  where user_id = (select auth.uid())
    and encrypted_key = old_encrypted_key
$$;

revoke all on function
  private.record_key_test(bytea),
  private.store_key(bytea, bytea, text),
  private.delete_key(),
  private.read_encrypted_key(),
  private.replace_encrypted_key(bytea, bytea)
from public;
grant execute on function
  private.record_key_test(bytea),
  private.store_key(bytea, bytea, text),
  private.delete_key(),
  private.read_encrypted_key(),
  private.replace_encrypted_key(bytea, bytea)
to authenticated;
