"""The roles that functions log in as: what they may become, and what they may do by themselves."""

from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from tests.database import Database
from tests.db.logins import rolled_back
from tests.db.rows import Possessions, Rows
from tests.db.snapshots import tables

OTHER_ROLES = ["anon", "service_role", "migrator", "supabase_auth_admin", "the superuser"]

# What a worker has no business with, though the pipeline is made of these rows.
REFUSED_TO_WORKERS: list[LiteralString] = [
    "select from public.users",
    "select from public.user_voices",
    "select from public.import_logs",
    "select from auth.users",
    "select key_fingerprint from public.tts_credentials",
    "select key_hmac from private.tts_key_tests",
    "select body from private.idempotency_keys",
    "insert into public.users (id) values (gen_random_uuid())",
    "insert into public.notebooks (user_id, name) values (%(user)s, 'Forged')",
    "update public.notebooks set name = 'Forged'",
    "update public.notebooks set user_id = %(user)s",
    "delete from public.notebooks",
    "insert into public.phrases (user_id, notebook_id, position, en_text, pl_text) select null, null, 1, '', ''",
    "update public.phrases set en_text = 'Forged'",
    "delete from public.phrases",
    "insert into public.tts_credentials (user_id) values (%(user)s)",
    "update public.tts_credentials set user_id = %(user)s",
    "delete from public.tts_credentials",
    "insert into public.jobs (user_id, notebook_id) values (%(user)s, %(notebook)s)",
    "update public.jobs set user_id = %(user)s",
    "update public.jobs set ended_at = null",
    "update public.jobs set total_count = 0",
    "update public.jobs set timeout_sec = null",
    "delete from public.jobs",
    "insert into public.builds (user_id, notebook_id, job_id) values (%(user)s, %(notebook)s, %(job)s)",
    "update public.builds set user_id = %(user)s",
    "delete from public.builds",
    "insert into public.audio_segments (user_id, notebook_id) values (%(user)s, %(notebook)s)",
    "update public.audio_segments set user_id = %(user)s",
    "update public.audio_segments set voice_id = ''",
    "insert into private.garbage (build_id, prefix, not_before) values (%(build)s, 'audio/', now())",
    "update private.garbage set prefix = 'audio/'",
    "select private.read_encrypted_key()",
    "select private.queue_garbage(%(build)s, 'audio/')",
    "truncate public.audio_segments",
    "create table public.mine ()",
    "create table private.mine ()",
    "create schema mine",
    "alter table public.audio_segments disable row level security",
    'drop policy "Workers see every job" on public.jobs',
]


@pytest.fixture(scope="module")
def own(module_database: Database) -> Possessions:
    """What one learner has."""
    return Rows(module_database).possessions()


def real_name(database: Database, role: str) -> str:
    """A role's name; the superuser's differs from server to server."""
    return urlsplit(database.admin_url).username or "" if role == "the superuser" else role


def memberships(database: Database, role: str) -> list[str]:
    """The roles that a role may act as or become."""
    rows = database.fetch(
        "select roleid::regrole::text as role from pg_auth_members where member = %s::regrole", [role]
    )
    return [row["role"] for row in rows]


@pytest.mark.parametrize("role", ["api_login", "worker_login"])
def test_a_login_role_has_no_power_over_roles_databases_or_row_level_security(
    module_database: Database, role: str
) -> None:
    powers = module_database.fetch(
        """
        select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
        from pg_roles
        where rolname = %s
        """,
        [role],
    )

    assert [set(power.values()) for power in powers] == [{False}]


def test_the_api_may_become_a_learner_and_nobody_else(module_database: Database) -> None:
    assert memberships(module_database, "api_login") == ["authenticated"]


def test_a_worker_and_a_learner_may_become_nobody_else(module_database: Database) -> None:
    assert memberships(module_database, "worker_login") + memberships(module_database, "authenticated") == []


@pytest.mark.parametrize("role", [*OTHER_ROLES, "worker_login"])
@pytest.mark.parametrize("first", ["reset role", "set role authenticated"], ids=["the api", "a learner"])
@pytest.mark.parametrize("how", ["set role {}", "set local role {}", "set session authorization {}"])
def test_the_api_cannot_become(module_database: Database, role: str, first: LiteralString, how: LiteralString) -> None:
    with rolled_back(module_database.api_url) as transaction:
        transaction.execute(first)
        with pytest.raises(InsufficientPrivilege):
            transaction.execute(SQL(how).format(Identifier(real_name(module_database, role))))


@pytest.mark.parametrize("role", [*OTHER_ROLES, "authenticated", "api_login"])
def test_a_worker_cannot_become(module_database: Database, role: str) -> None:
    with rolled_back(module_database.worker_url) as transaction, pytest.raises(InsufficientPrivilege):
        transaction.execute(SQL("set role {}").format(Identifier(real_name(module_database, role))))


@pytest.mark.parametrize(
    "grant",
    ["grant service_role to api_login", "alter role api_login bypassrls", "alter role api_login superuser"],
)
def test_the_api_cannot_give_itself_more(module_database: Database, grant: LiteralString) -> None:
    with rolled_back(module_database.api_url) as transaction, pytest.raises(InsufficientPrivilege):
        transaction.execute(grant)


@pytest.mark.parametrize("verb", ["select from {}", "delete from {}", "truncate {}", "insert into {} default values"])
def test_the_api_by_itself_may_touch_no_table(module_database: Database, verb: LiteralString) -> None:
    for table in [*tables(module_database), "auth.users"]:
        with rolled_back(module_database.api_url) as transaction, pytest.raises(InsufficientPrivilege):
            transaction.execute(SQL(verb).format(Identifier(*table.split("."))))


@pytest.mark.parametrize(
    "statement",
    [
        "select private.ensure_user()",
        "select auth.uid()",
        "create table public.mine ()",
        "create table private.mine ()",
        "create schema mine",
        "create function public.mine() returns void language sql as ''",
        "copy (select 1) to program 'true'",
    ],
)
def test_the_api_by_itself_may_not(module_database: Database, statement: LiteralString) -> None:
    with rolled_back(module_database.api_url) as transaction, pytest.raises(InsufficientPrivilege):
        transaction.execute(statement)


@pytest.mark.parametrize("statement", REFUSED_TO_WORKERS)
def test_a_worker_may_not(module_database: Database, own: Possessions, statement: LiteralString) -> None:
    with rolled_back(module_database.worker_url) as transaction, pytest.raises(InsufficientPrivilege):
        transaction.execute(statement, own.ids())


@pytest.mark.parametrize("relation", ["notebooks", "phrases", "jobs", "builds", "audio_segments"])
def test_a_worker_sees_the_rows_of_every_learner(module_database: Database, own: Possessions, relation: str) -> None:
    other = Rows(module_database).possessions()
    query = SQL("select distinct user_id from public.{} where user_id = any (%s)").format(Identifier(relation))

    with rolled_back(module_database.worker_url) as transaction:
        assert transaction.execute(query, [[own.user, other.user]]).rowcount == 2


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_login_role_needs_its_password(module_database: Database, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(module_database.api_url, password=password)
