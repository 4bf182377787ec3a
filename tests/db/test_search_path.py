"""A security definer function runs as its owner: nothing that a caller makes may run inside it."""

from typing import LiteralString

import pytest

from tests.database import Database
from tests.db.logins import Connection, rolled_back, signed_in
from tests.db.rows import Possessions, Rows

# Types by whose names the functions, or what they call, ask for something that they check, cast or declare.
SHADOWED_TYPES = ["uuid", "text", "jsonb", "timestamptz", "bytea", "interval", "int4", "float8", "bool"]

CALLS: list[LiteralString] = [
    "select private.ensure_user()",
    "select private.take_token('read', 300, 300)",
    "select private.claim_idempotency_key('import', gen_random_uuid(), sha256('request'))",
    "select private.store_idempotent_answer('import', gen_random_uuid(), sha256('request'), 200, null, 'answer')",
    'select private.record_import_logs(%(notebook)s, \'[{"line_no": 1, "raw_text": "line", "reason": "reason"}]\')',
    "select private.record_key_test('hmac')",
    "select private.store_key('hmac', 'encrypted', 'SHA256:0000000000000000')",
    "select private.read_encrypted_key()",
    "select private.replace_encrypted_key('encrypted', 'encrypted anew')",
    "select private.start_job(%(notebook)s, 1800)",
    "select private.cancel_job(last_generate_job_id) from public.notebooks where id = %(notebook)s",
    "insert into public.notebooks (name) values ('Another')",
    "insert into public.phrases (notebook_id, position, en_text, pl_text) values (%(notebook)s, 20, 'Hi.', 'Hej.')",
    "delete from public.phrases where id = %(phrase)s",
    "delete from public.notebooks where id = %(notebook)s",
    "select private.delete_key()",
]


@pytest.fixture
def own(rows: Rows) -> Possessions:
    """What one learner has."""
    return rows.possessions()


def lay_traps(transaction: Connection) -> None:
    """Put functions, types and tables of the caller's own before those of the system, wherever that can be done.

    A trap records who fell into it.
    """
    transaction.execute("create temporary table fallen (role pg_catalog.name)")
    transaction.execute("grant insert on fallen to public")
    transaction.execute(
        """
        create function pg_temp.trap(anyelement) returns boolean
        language plpgsql
        as $$ begin insert into pg_temp.fallen values (current_user); return true; end $$
        """
    )
    for name in SHADOWED_TYPES:
        transaction.execute(f"create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.trap(value))")
    for name in ("users", "notebooks", "phrases", "user_voices", "tts_credentials", "jobs", "builds", "keys"):
        transaction.execute(f"create temporary table {name} (id pg_catalog.uuid, user_id pg_catalog.uuid)")
    for name in ("now", "clock_timestamp", "gen_random_uuid"):
        transaction.execute(
            f"create function pg_temp.{name}() returns pg_catalog.text language sql as 'select null::pg_catalog.text'"
        )
    transaction.execute("set local search_path = pg_temp, pg_catalog")


def fallen(transaction: Connection) -> set[str]:
    return {row["role"] for row in transaction.execute("select distinct role from pg_temp.fallen")}


def test_the_traps_work(database: Database, own: Possessions) -> None:
    with signed_in(database, own.user) as transaction:
        lay_traps(transaction)
        transaction.execute("select '11111111-2222-4333-8444-555555555555'::uuid")

        assert fallen(transaction) == {"authenticated"}


def test_no_function_runs_what_a_learner_put_in_its_way(database: Database, own: Possessions) -> None:
    with signed_in(database, own.user) as transaction:
        lay_traps(transaction)
        for call in CALLS:
            transaction.execute(call, own.ids())

        assert fallen(transaction) <= {"authenticated"}


def test_no_trigger_runs_what_a_worker_put_in_its_way(database: Database, rows: Rows, own: Possessions) -> None:
    job = rows.job(own.notebook)
    rows.segment(rows.build(job), own.phrase)

    with rolled_back(database.worker_url) as transaction:
        lay_traps(transaction)
        transaction.execute("update public.jobs set state = 'canceled' where id = %s", [job])
        transaction.execute("update public.notebooks set current_build_id = null where id = %s", [own.notebook])
        transaction.execute("delete from public.audio_segments where id = %s", [own.segment])

        assert fallen(transaction) <= {"worker_login"}
