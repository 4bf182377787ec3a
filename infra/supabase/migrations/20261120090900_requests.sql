-- What every request of a learner goes through: rate limits, and answers that can be repeated.

create table private.rate_limits (
  user_id uuid not null,
  bucket text not null,
  tokens double precision not null,
  updated_at timestamptz not null,
  constraint rate_limits_pk primary key (user_id, bucket),
  constraint rate_limits_fk_user foreign key (user_id) references public.users (id) on delete cascade
);

create index rate_limits_idx_updated on private.rate_limits (updated_at);

alter table private.rate_limits enable row level security;
alter table private.rate_limits force row level security;

create policy "Workers see which rate limits are full again" on private.rate_limits
  for select to worker_login using (true);
create policy "Workers forget rate limits that are full again" on private.rate_limits
  for delete to worker_login using (true);

grant select, delete on private.rate_limits to worker_login;

-- Makes the caller's row if the trigger on auth.users has not. An account that is gone violates users_fk_auth.
create function private.ensure_user() returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.users (id)
  select auth.uid()
  where not exists (select from public.users where id = auth.uid())
  on conflict do nothing
$$;

-- Takes one token from the caller's bucket (https://en.wikipedia.org/wiki/Token_bucket).
-- Returns 0, or the seconds until there is one.
create function private.take_token(bucket_name text, per_minute integer, burst integer) returns double precision
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  available double precision;
begin
  insert into private.rate_limits (user_id, bucket, tokens, updated_at)
  values (auth.uid(), bucket_name, burst, clock_timestamp())
  on conflict on constraint rate_limits_pk do nothing;

  select least(
    burst,
    tokens + greatest(0, extract(epoch from clock_timestamp() - updated_at)) * per_minute / 60.0
  )
  into available
  from private.rate_limits
  where user_id = auth.uid() and bucket = bucket_name
  for update;

  if available < 1 then
    return (1 - available) * 60.0 / per_minute;
  end if;
  update private.rate_limits
  set tokens = available - 1, updated_at = clock_timestamp()
  where user_id = auth.uid() and bucket = bucket_name;
  return 0;
end
$$;

create table private.idempotency_keys (
  user_id uuid not null,
  operation text not null,
  key uuid not null,
  request_sha256 bytea not null,
  status integer not null,
  location text,
  body bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint idempotency_keys_pk primary key (user_id, operation, key),
  constraint idempotency_keys_fk_user foreign key (user_id) references public.users (id) on delete cascade
);

create index idempotency_keys_idx_expires on private.idempotency_keys (expires_at);

alter table private.idempotency_keys enable row level security;
alter table private.idempotency_keys force row level security;

create policy "Workers see which idempotency keys have expired" on private.idempotency_keys
  for select to worker_login using (true);
create policy "Workers forget expired idempotency keys" on private.idempotency_keys
  for delete to worker_login using (true);

grant select (user_id, operation, key, expires_at), delete on private.idempotency_keys to worker_login;

-- Claims a key for this transaction and returns the first answer where there is one. The claim is an advisory lock, so
-- it ends with the transaction, however that ends, and the answer is stored in the same transaction as what it speaks of.
create function private.claim_idempotency_key(
  operation_name text, idempotency_key uuid, sha256 bytea,
  out status integer, out location text, out body bytea
) returns setof record
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_sha256 bytea;
begin
  if not pg_try_advisory_xact_lock(
    hashtextextended(auth.uid()::text || operation_name || idempotency_key::text, 0)
  ) then
    raise exception 'in progress' using errcode = 'lock_not_available', constraint = 'idempotency_in_progress';
  end if;

  select keys.request_sha256, keys.status, keys.location, keys.body
  into found_sha256, status, location, body
  from private.idempotency_keys keys
  where keys.user_id = auth.uid()
    and keys.operation = operation_name
    and keys.key = idempotency_key
    and keys.expires_at > now();
  if not found then
    return;
  end if;
  if found_sha256 <> sha256 then
    raise exception 'mismatch' using errcode = 'check_violation', constraint = 'idempotency_mismatch';
  end if;
  return next;
end
$$;

create function private.store_idempotent_answer(
  operation_name text, idempotency_key uuid, sha256 bytea,
  answer_status integer, answer_location text, answer_body bytea
) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into private.idempotency_keys (user_id, operation, key, request_sha256, status, location, body)
  values ((select auth.uid()), operation_name, idempotency_key, sha256, answer_status, answer_location, answer_body)
  on conflict on constraint idempotency_keys_pk do update
  set request_sha256 = excluded.request_sha256,
      status = excluded.status,
      location = excluded.location,
      body = excluded.body,
      created_at = now(),
      expires_at = now() + interval '24 hours'
$$;

revoke all on function
  private.ensure_user(),
  private.take_token(text, integer, integer),
  private.claim_idempotency_key(text, uuid, bytea),
  private.store_idempotent_answer(text, uuid, bytea, integer, text, bytea)
from public;
grant execute on function
  private.ensure_user(),
  private.take_token(text, integer, integer),
  private.claim_idempotency_key(text, uuid, bytea),
  private.store_idempotent_answer(text, uuid, bytea, integer, text, bytea)
to authenticated;
