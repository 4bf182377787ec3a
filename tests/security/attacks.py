"""Attacks on the functions that run as the migrator, each named for what it tries.

An attack that succeeds fails an assertion. It runs in a transaction of which nothing stays. It also shows that what is
refused to a stranger works for its owner, so that a function which does nothing does not pass for a safe one.
"""

from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.db.rows import ENCRYPTED_KEY
from tests.security.calls import CALLS, answers, arguments, assert_refused, call, everything, value
from tests.security.principals import NEWCOMER, NOBODY, OWNER, STRANGER
from tests.security.world import TABLES, World

Attack = Callable[[World], None]

# Who gets one of our functions to run this has its owner's privileges.
TRAP: LiteralString = """
    create function pg_temp.trap() returns boolean
    language plpgsql
    as $$
    begin
      if current_user <> 'authenticated' then
        raise exception 'trapped as %', current_user;
      end if;
      return true;
    end
    $$
"""


def a_strangers_notebook_in_a_job(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    assert_refused(world, STRANGER, "start_job", "start_job_notebook")
    assert world.rows_about(world.learners["owner"]) == before


def a_job_paid_for_with_the_key_of_another(world: World) -> None:
    world.execute("delete from public.tts_credentials where user_id = %s", [world.learners["newcomer"].user])
    with pytest.raises(psycopg.errors.CheckViolation) as refusal:
        call(world, NEWCOMER, "start_job", of="newcomer")
    assert refusal.value.diag.constraint_name == "start_job_key"


def a_job_spoken_with_the_voices_of_another(world: World) -> None:
    world.execute("delete from public.user_voices where user_id = %s", [world.learners["newcomer"].user])
    with pytest.raises(psycopg.errors.CheckViolation) as refusal:
        call(world, NEWCOMER, "start_job", of="newcomer")
    assert refusal.value.diag.constraint_name == "start_job_voices"


def a_job_into_which_rows_of_others_are_mixed(world: World) -> None:
    others = [world.rows_about(world.learners[name]) for name in ("owner", "other")]
    ((job,),) = call(world, NEWCOMER, "start_job", of="newcomer")
    made = world.execute(
        """
        select segments.user_id, segments.phrase_id, segments.voice_slot
        from public.audio_segments segments
        join public.builds on builds.id = build_id
        where job_id = %s
        """,
        [job],
    )
    newcomer = world.learners["newcomer"]
    assert sorted(made) == [(newcomer.user, newcomer.ids["phrase"], slot) for slot in ("EN1", "EN2", "EN3", "PL")]
    assert [world.rows_about(world.learners[name]) for name in ("owner", "other")] == others


def canceling_the_job_of_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    assert_refused(world, STRANGER, "cancel_job", "cancel_job_job")
    assert world.rows_about(world.learners["owner"]) == before
    call(world, OWNER, "cancel_job")
    assert value(world, "select state from public.jobs where user_id = %(user)s", "owner") == "canceled"


def writing_into_the_import_log_of_another(world: World) -> None:
    count: LiteralString = "select count(*) from public.import_logs where user_id = %(user)s"
    before = value(world, count, "owner")
    call(world, STRANGER, "record_import_logs")
    assert value(world, count, "owner") == before
    call(world, OWNER, "record_import_logs")
    assert value(world, count, "owner") == before + 1


def testing_a_key_in_the_name_of_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    call(world, STRANGER, "record_key_test")
    assert world.rows_about(world.learners["owner"]) == before
    assert value(world, "select count(*) from private.tts_key_tests where user_id = %(user)s", "stranger") == 1


def storing_a_key_that_only_another_has_tested(world: World) -> None:
    assert_refused(world, STRANGER, "store_key", "tts_credentials_tested")


def replacing_the_key_of_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    call(world, NEWCOMER, "record_key_test")
    call(world, NEWCOMER, "replace_encrypted_key")
    key: LiteralString = "select encrypted_key from public.tts_credentials where user_id = %(user)s"
    assert value(world, key, "newcomer") == b"encrypted anew"
    call(world, NEWCOMER, "store_key")
    assert value(world, key, "newcomer") == b"another key"
    assert world.rows_about(world.learners["owner"]) == before


def deleting_the_key_of_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    call(world, NEWCOMER, "delete_key")
    keys: LiteralString = "select count(*) from public.tts_credentials where user_id = %(user)s"
    tests: LiteralString = "select count(*) from private.tts_key_tests where user_id = %(user)s"
    assert (value(world, keys, "newcomer"), value(world, tests, "newcomer")) == (0, 0)
    assert world.rows_about(world.learners["owner"]) == before


def reading_the_key_of_another(world: World) -> None:
    assert call(world, STRANGER, "read_encrypted_key") == [(None,)]
    call(world, STRANGER, "record_key_test")
    call(world, STRANGER, "store_key")
    assert call(world, STRANGER, "read_encrypted_key") == [(b"another key",)]
    assert call(world, OWNER, "read_encrypted_key") == [(ENCRYPTED_KEY,)]


def an_account_that_others_stand_in_for(world: World) -> None:
    world.execute("delete from public.users where id = %s", [world.learners["stranger"].user])
    call(world, STRANGER, "ensure_user")
    call(world, STRANGER, "ensure_user")
    assert value(world, "select count(*) from public.users where id = %(user)s", "stranger") == 1


def spending_the_rate_limit_of_another(world: World) -> None:
    world.execute(
        """
        update private.rate_limits
        set tokens = 0, updated_at = clock_timestamp() + interval '1 hour'
        where user_id = %s
        """,
        [world.learners["owner"].user],
    )
    before = world.rows_about(world.learners["owner"])
    assert call(world, STRANGER, "take_token") == [(0.0,)]
    assert value(world, "select tokens from private.rate_limits where user_id = %(user)s", "stranger") == 4
    assert world.rows_about(world.learners["owner"]) == before
    assert call(world, OWNER, "take_token") == [(1.0,)]


def reading_the_answer_to_another(world: World) -> None:
    assert call(world, STRANGER, "claim_idempotency_key") == []
    assert call(world, OWNER, "claim_idempotency_key") == [(201, None, b"answer")]


def replacing_the_answer_to_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    call(world, STRANGER, "store_idempotent_answer")
    assert world.rows_about(world.learners["owner"]) == before
    assert call(world, STRANGER, "claim_idempotency_key") == [(200, None, b"another answer")]


def holding_up_the_request_of_another(world: World) -> None:
    for who in (OWNER, STRANGER):
        call(world, who, "claim_idempotency_key")
    held = world.execute("select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
    assert len(held) == 2


def calling_in_nobodys_name(world: World) -> None:
    before = everything(world)
    for statement in CALLS.values():
        try:
            answer = world.call(NOBODY, statement, arguments(world))
        except (psycopg.errors.IntegrityError, psycopg.errors.NoDataFound):
            continue
        assert not any(any(row) for row in answer), statement
    assert everything(world) == before


def calling_with_the_ids_of_another(world: World) -> None:
    before = world.rows_about(world.learners["owner"])
    for statement in CALLS.values():
        try:
            world.call(STRANGER, statement, arguments(world))
        except (psycopg.errors.IntegrityError, psycopg.errors.NoDataFound):
            continue
    assert world.rows_about(world.learners["owner"]) == before


def types_and_tables_of_ones_own_called_like_ours(world: World) -> None:
    expected = answers(world)
    tables = world.execute(TABLES)
    for name in dict.fromkeys(name for _, name in tables):
        world.call(NEWCOMER, SQL("create temp table {} (id uuid, user_id uuid)").format(Identifier(name)))
    world.call(NEWCOMER, TRAP)
    for name in ("uuid", "text", "bytea", "jsonb", "timestamptz"):
        domain = SQL("create domain {} as {} check (pg_temp.trap())")
        world.call(NEWCOMER, domain.format(Identifier("pg_temp", name), Identifier("pg_catalog", name)))
    world.execute("set local search_path = pg_temp, public, pg_catalog")
    assert answers(world) == expected


ATTACKS: list[Attack] = [
    a_strangers_notebook_in_a_job,
    a_job_paid_for_with_the_key_of_another,
    a_job_spoken_with_the_voices_of_another,
    a_job_into_which_rows_of_others_are_mixed,
    canceling_the_job_of_another,
    writing_into_the_import_log_of_another,
    testing_a_key_in_the_name_of_another,
    storing_a_key_that_only_another_has_tested,
    replacing_the_key_of_another,
    deleting_the_key_of_another,
    reading_the_key_of_another,
    an_account_that_others_stand_in_for,
    spending_the_rate_limit_of_another,
    reading_the_answer_to_another,
    replacing_the_answer_to_another,
    holding_up_the_request_of_another,
    calling_in_nobodys_name,
    calling_with_the_ids_of_another,
    types_and_tables_of_ones_own_called_like_ours,
]
