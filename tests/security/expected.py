"""What everyone may do in the database, written down; whatever is not in these tables is denied.

Each line of a table names a thing, a verb, and for each principal what happens when they do it with every row there is:

  denied    a privilege is missing (42501)
  nothing   no row is reached, or row-level security refuses the row
  own       exactly the rows of the learner whose claims are carried
  all       every row
  refused   a constraint refuses it

The owner has rows, and so has another learner. The stranger has an account and no more. Nobody is `authenticated`
without claims. All others carry the owner's claims, which must not help them.
"""

from typing import Literal

Verb = Literal["select", "insert", "update", "delete", "truncate", "give"]

# With the privileges that are granted. What the stranger inserts names the owner's notebook.
REACH = """
relation                        verb    owner  stranger  nobody   worker  anon    api_login  service_role
public.users                    select  own    own       nothing  denied  denied  denied     denied
public.notebooks                select  own    nothing   nothing  all     denied  denied     denied
public.notebooks                insert  own    own       nothing  denied  denied  denied     denied
public.notebooks                update  own    nothing   nothing  all     denied  denied     denied
public.notebooks                delete  own    nothing   nothing  denied  denied  denied     denied
public.import_logs              select  own    nothing   nothing  denied  denied  denied     denied
public.phrases                  select  own    nothing   nothing  all     denied  denied     denied
public.phrases                  insert  own    refused   nothing  denied  denied  denied     denied
public.phrases                  update  own    nothing   nothing  denied  denied  denied     denied
public.phrases                  delete  own    nothing   nothing  denied  denied  denied     denied
public.user_voices              select  own    nothing   nothing  denied  denied  denied     denied
public.user_voices              insert  own    own       nothing  denied  denied  denied     denied
public.user_voices              update  own    nothing   nothing  denied  denied  denied     denied
public.user_voices              delete  own    nothing   nothing  denied  denied  denied     denied
public.tts_credentials          select  own    nothing   nothing  all     denied  denied     denied
public.tts_credentials          update  denied denied    denied   all     denied  denied     denied
public.jobs                     select  own    nothing   nothing  all     denied  denied     denied
public.jobs                     update  denied denied    denied   all     denied  denied     denied
public.builds                   select  own    nothing   nothing  all     denied  denied     denied
public.audio_segments           select  own    nothing   nothing  all     denied  denied     denied
public.audio_segments           update  denied denied    denied   all     denied  denied     denied
public.audio_segments           delete  denied denied    denied   all     denied  denied     denied
public.notebook_audio_statuses  select  own    nothing   nothing  denied  denied  denied     denied
private.tts_key_tests           select  denied denied    denied   all     denied  denied     denied
private.tts_key_tests           delete  denied denied    denied   all     denied  denied     denied
private.garbage                 select  denied denied    denied   all     denied  denied     denied
private.garbage                 update  denied denied    denied   all     denied  denied     denied
private.garbage                 delete  denied denied    denied   all     denied  denied     denied
private.rate_limits             select  denied denied    denied   all     denied  denied     denied
private.rate_limits             delete  denied denied    denied   all     denied  denied     denied
private.idempotency_keys        select  denied denied    denied   all     denied  denied     denied
private.idempotency_keys        delete  denied denied    denied   all     denied  denied     denied
"""

# Where a grant is narrower than the table, its columns.
COLUMNS = """
relation                  verb    role           columns
public.notebooks          insert  authenticated  name
public.notebooks          update  authenticated  name
public.notebooks          update  worker_login   current_build_id
public.phrases            insert  authenticated  notebook_id position en_text pl_text tokens
public.phrases            update  authenticated  position en_text pl_text tokens
public.user_voices        insert  authenticated  slot language voice_id
public.user_voices        update  authenticated  language voice_id
public.tts_credentials    select  authenticated  user_id key_fingerprint last_validated_at is_configured created_at
public.tts_credentials    select  worker_login   user_id encrypted_key
public.tts_credentials    update  worker_login   encrypted_key
public.jobs               update  worker_login   state started_at error
public.audio_segments     select  authenticated  id user_id notebook_id phrase_id voice_slot build_id path duration_ms \
size_bytes sample_rate_hz bitrate_kbps status error_code word_timings is_active created_at updated_at
public.audio_segments     update  worker_login   duration_ms size_bytes status error_code error_details word_timings \
is_active text_sha256 attempts claimed_until
private.tts_key_tests     select  worker_login   tested_at
private.garbage           update  worker_login   not_before
private.idempotency_keys  select  worker_login   user_id operation key expires_at
"""

# With every privilege granted to everyone: what row-level security keeps by itself. What is inserted is a row of the
# owner's; to give is to make the stranger the owner of a row. What is not listed reaches nothing.
POLICIES = """
relation                verb    owner  stranger  worker
public.users            select  own    own       nothing
public.notebooks        select  own    nothing   all
public.notebooks        insert  own    nothing   nothing
public.notebooks        update  own    nothing   all
public.notebooks        give    nothing  nothing refused
public.notebooks        delete  own    nothing   nothing
public.import_logs      select  own    nothing   nothing
public.phrases          select  own    nothing   all
public.phrases          insert  own    nothing   nothing
public.phrases          update  own    nothing   nothing
public.phrases          delete  own    nothing   nothing
public.user_voices      select  own    nothing   nothing
public.user_voices      insert  own    nothing   nothing
public.user_voices      update  own    nothing   nothing
public.user_voices      delete  own    nothing   nothing
public.tts_credentials  select  own    nothing   all
public.tts_credentials  update  nothing  nothing all
public.tts_credentials  give    nothing  nothing refused
public.jobs             select  own    nothing   all
public.jobs             update  nothing  nothing all
public.jobs             give    nothing  nothing refused
public.builds           select  own    nothing   all
public.audio_segments   select  own    nothing   all
public.audio_segments   update  nothing  nothing all
public.audio_segments   give    nothing  nothing refused
public.audio_segments   delete  nothing  nothing all
private.tts_key_tests   select  nothing  nothing all
private.tts_key_tests   delete  nothing  nothing all
private.garbage         select  nothing  nothing all
private.garbage         update  nothing  nothing all
private.garbage         delete  nothing  nothing all
private.rate_limits     select  nothing  nothing all
private.rate_limits     delete  nothing  nothing all
private.idempotency_keys  select  nothing  nothing all
private.idempotency_keys  delete  nothing  nothing all
"""

# Who may call a function, and with whose privileges it runs. Every one of them names its search_path.
FUNCTIONS = """
function                                                                           runs_as   callers
private.touch_updated_at()                                                         caller    -
private.create_user()                                                              migrator  -
private.limit_notebooks()                                                          migrator  -
private.limit_phrases()                                                            migrator  -
private.job_deadline(timestamptz,timestamptz,integer)                              caller    worker_login
private.object_prefix(uuid,uuid,uuid)                                              caller    -
private.queue_garbage(uuid,text)                                                   migrator  -
private.queue_deleted_builds()                                                     migrator  -
private.queue_deleted_segments()                                                   migrator  -
private.queue_replaced_build()                                                     migrator  -
private.step_job()                                                                 migrator  -
private.record_import_logs(uuid,jsonb)                                             migrator  authenticated
private.record_key_test(bytea)                                                     migrator  authenticated
private.store_key(bytea,bytea,text)                                                migrator  authenticated
private.delete_key()                                                               migrator  authenticated
private.read_encrypted_key()                                                       migrator  authenticated
private.replace_encrypted_key(bytea,bytea)                                         migrator  authenticated
private.start_job(uuid,integer)                                                    migrator  authenticated
private.cancel_job(uuid)                                                           migrator  authenticated
private.ensure_user()                                                              migrator  authenticated
private.take_token(text,integer,integer)                                           migrator  authenticated
private.claim_idempotency_key(text,uuid,bytea)                                     migrator  authenticated
private.store_idempotent_answer(text,uuid,bytea,integer,text,bytea)                migrator  authenticated
"""
SEARCH_PATH = "search_path=pg_catalog, pg_temp"

# Into which schemas a role may look. Nobody may make anything in any of them, nor make a schema.
SCHEMAS = """
schema               usage
public               anon authenticated service_role api_login worker_login
private              authenticated worker_login
auth                 anon authenticated service_role
extensions           anon authenticated service_role
supabase_migrations  -
"""

# What a role is, and which others it may become; all others it may not.
ROLES = """
role           attributes             may_become
anon           -                      -
authenticated  -                      -
service_role   bypassrls              -
api_login      login                  authenticated
worker_login   login,inherit          -
"""


def rows_of(table: str) -> list[dict[str, str]]:
    """The lines of one of these tables by the names of its columns; the last column takes the rest of its line."""
    header, *lines = [line for line in table.strip().splitlines() if line]
    names = header.split()
    return [dict(zip(names, line.split(maxsplit=len(names) - 1), strict=True)) for line in lines]
