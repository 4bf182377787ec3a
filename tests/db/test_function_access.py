"""The functions of the schema `private`: whose rows they touch, and who may call them."""

from contextlib import suppress
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.database import Database
from tests.db.logins import become, rolled_back, signed_in
from tests.db.rows import IDEMPOTENCY_KEY, Possessions, Rows
from tests.db.snapshots import rows_about

# Every function that a learner may call, called with another learner's ids.
CALLS: list[LiteralString] = [
    "select private.ensure_user()",
    "select private.take_token('read', 300, 300)",
    "select private.claim_idempotency_key('import', %(idempotency_key)s, sha256('request'))",
    "select private.store_idempotent_answer('import', %(idempotency_key)s, sha256('request'), 200, null, 'forged')",
    'select private.record_import_logs(%(notebook)s, \'[{"line_no": 1, "raw_text": "forged", "reason": "forged"}]\')',
    "select private.record_key_test('hmac of the key')",
    "select private.store_key('hmac of the key', 'forged', 'SHA256:0000000000000000')",
    "select private.read_encrypted_key()",
    "select private.replace_encrypted_key('encrypted', 'forged')",
    "select private.delete_key()",
    "select private.start_job(%(notebook)s, 1800)",
    "select private.cancel_job(%(running_job)s)",
]
NAMES = [call.partition("(")[0].removeprefix("select private.") for call in CALLS]


@pytest.fixture(scope="module")
def own(module_database: Database) -> Possessions:
    """What one learner has."""
    return Rows(module_database).possessions()


@pytest.fixture(scope="module")
def ids(module_database: Database, own: Possessions) -> dict[str, UUID]:
    """The ids of one learner's rows, and a job of theirs that is under way."""
    running_job = Rows(module_database).job(own.notebook)
    return own.ids() | {"running_job": running_job, "idempotency_key": IDEMPOTENCY_KEY}


@pytest.fixture
def stranger(module_database: Database) -> UUID:
    """A learner who has nothing."""
    return module_database.create_user()


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_no_function_changes_what_is_anothers(
    module_database: Database, own: Possessions, ids: dict[str, UUID], stranger: UUID, call: LiteralString
) -> None:
    before = rows_about(module_database, own.user)

    refusals = suppress(psycopg.errors.NoDataFound, psycopg.errors.CheckViolation)
    with refusals, psycopg.connect(module_database.api_url) as connection:
        become(connection, stranger)
        connection.execute(call, ids)

    assert rows_about(module_database, own.user) == before


def test_two_learners_may_store_the_same_key_and_neither_touches_the_others(
    module_database: Database, own: Possessions, stranger: UUID
) -> None:
    before = rows_about(module_database, own.user)

    with psycopg.connect(module_database.api_url) as connection:
        become(connection, stranger)
        connection.execute("select private.record_key_test('hmac of the key')")
        connection.execute("select private.store_key('hmac of the key', 'mine', 'SHA256:0000000000000000')")
        connection.execute("select private.replace_encrypted_key('mine', 'mine, encrypted anew')")
        connection.execute("select private.delete_key()")

    assert rows_about(module_database, own.user) == before


def test_no_function_that_a_learner_may_call_is_left_untried(module_database: Database) -> None:
    callable_functions = module_database.fetch(
        """
        select proname
        from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and has_function_privilege('authenticated', oid, 'execute')
        """
    )

    assert {row["proname"] for row in callable_functions} == set(NAMES)


@pytest.mark.usefixtures("own")
class TestWhatAStrangerIsTold:
    def test_the_notebook_of_another_is_like_one_that_does_not_exist(
        self, module_database: Database, ids: dict[str, UUID], stranger: UUID
    ) -> None:
        with signed_in(module_database, stranger) as transaction, pytest.raises(psycopg.errors.NoDataFound):
            transaction.execute("select private.start_job(%(notebook)s, 1800)", ids)

    def test_the_job_of_another_is_like_one_that_does_not_exist(
        self, module_database: Database, ids: dict[str, UUID], stranger: UUID
    ) -> None:
        with signed_in(module_database, stranger) as transaction, pytest.raises(psycopg.errors.NoDataFound):
            transaction.execute("select private.cancel_job(%(running_job)s)", ids)

    def test_the_key_of_another_is_not_read(self, module_database: Database, stranger: UUID) -> None:
        with signed_in(module_database, stranger) as transaction:
            assert transaction.execute("select private.read_encrypted_key() as key").fetchall() == [{"key": None}]

    def test_a_key_that_another_has_tested_counts_as_untested(self, module_database: Database, stranger: UUID) -> None:
        with (
            signed_in(module_database, stranger) as transaction,
            pytest.raises(psycopg.errors.CheckViolation, match="the key was not tested"),
        ):
            transaction.execute("select private.store_key('hmac of the key', 'mine', 'SHA256:0000000000000000')")

    def test_the_answer_of_another_is_not_replayed(self, module_database: Database, stranger: UUID) -> None:
        with signed_in(module_database, stranger) as transaction:
            answers = transaction.execute(
                "select * from private.claim_idempotency_key('import', %s, sha256('request'))", [IDEMPOTENCY_KEY]
            )

            assert answers.fetchall() == []


@pytest.mark.parametrize("role", ["anon", "service_role", "worker_login"])
@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_nobody_but_a_learner_may_call(
    module_database: Database, ids: dict[str, UUID], call: LiteralString, role: str
) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        transaction.execute(SQL("set local role {}").format(Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for"):
            transaction.execute(call, ids)


def test_only_a_learner_and_a_worker_may_call_anything(module_database: Database) -> None:
    granted = module_database.fetch(
        """
        select proname, role.oid::regrole::text as role
        from pg_proc
        cross join pg_roles role
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and role.rolname in ('anon', 'service_role', 'api_login', 'worker_login')
          and has_function_privilege(role.oid, pg_proc.oid, 'execute')
        """
    )

    assert granted == [{"proname": "job_deadline", "role": "worker_login"}]
