"""What whoever holds a login role's password can make of it, each over a connection of its own."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.database import Database
from tests.db.logins import Connection, become, rolled_back
from tests.db.rows import Possessions, Rows

ROLES = ["anon", "service_role", "supabase_auth_admin", "migrator", "pg_read_all_data", "pg_write_all_data"]

# Neither login role, nor what the API's becomes, may loosen anything.
TRICKS: list[LiteralString] = [
    "set session authorization migrator",
    "select set_config('role', 'service_role', true)",
    "select set_config('session_authorization', 'migrator', true)",
    "set session_replication_role = replica",
    "alter role api_login inherit",
    "alter role worker_login superuser",
    "alter role current_user bypassrls",
    "create role intruder",
    "grant service_role to api_login",
    "grant migrator to worker_login",
    "alter table public.notebooks disable row level security",
    "alter table public.notebooks no force row level security",
    "alter table public.notebooks disable trigger all",
    "alter table public.notebooks owner to current_user",
    "alter table public.notebooks set schema pg_temp",
    "create policy all_mine on public.notebooks using (true)",
    'drop policy "A learner sees their own notebooks" on public.notebooks',
    "create rule all_mine as on select to public.notebooks do instead select 1",
    "create trigger spy after insert on public.notebooks execute function private.touch_updated_at()",
    "create index spy on public.notebooks (name)",
    "create view public.spy as select * from public.notebooks",
    "create schema spy",
    "alter role all set row_security = off",
    "alter role migrator set search_path = pg_temp",
    "create function public.spy() returns integer language sql security definer return 1",
    "create function private.spy() returns integer language sql security definer return 1",
    "create or replace function private.delete_key() returns void language sql as 'select null'",
    "alter function private.delete_key() reset search_path",
    "alter function auth.uid() owner to current_user",
    "create or replace function auth.uid() returns uuid language sql as 'select null::uuid'",
    "alter default privileges for role migrator grant all on tables to public",
    "comment on table public.notebooks is 'mine'",
    "truncate public.notebooks",
    "copy public.notebooks to '/dev/null'",
    "copy public.notebooks to program 'true'",
    "select pg_read_file('PG_VERSION')",
]


@pytest.fixture(scope="module")
def own(module_database: Database) -> Possessions:
    """What one learner has."""
    return Rows(module_database).possessions()


@pytest.fixture(scope="module")
def other(module_database: Database) -> Possessions:
    """What another learner has."""
    return Rows(module_database).possessions()


@pytest.fixture(params=["api_login", "authenticated", "worker_login"])
def session(request: pytest.FixtureRequest, module_database: Database, own: Possessions) -> Iterator[Connection]:
    """A connection of each login role, and of the API's once it acts for a learner."""
    url = module_database.worker_url if request.param == "worker_login" else module_database.api_url
    with rolled_back(url) as connection:
        if request.param == "authenticated":
            become(connection, own.user)
        yield connection


@pytest.mark.parametrize("role", ROLES)
def test_no_session_becomes(session: Connection, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied to set role"):
        session.execute(SQL("set role {}").format(Identifier(role)))


@pytest.mark.parametrize("trick", TRICKS)
def test_no_session_may(session: Connection, trick: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(trick)


@pytest.mark.parametrize("role", ["worker_login", "the superuser"])
def test_the_api_does_not_become(module_database: Database, own: Possessions, role: str) -> None:
    superuser = module_database.fetch("select current_user as name")[0]["name"]
    name = superuser if role == "the superuser" else role
    with rolled_back(module_database.api_url) as connection:
        become(connection, own.user)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(SQL("set role {}").format(Identifier(name)))


def test_no_session_passes_its_privileges_on(session: Connection) -> None:
    """Postgres only warns who holds a privilege that they may not grant."""
    with suppress(psycopg.errors.InsufficientPrivilege), session.transaction():
        session.execute("grant select (encrypted_key) on public.tts_credentials to public")

    readable = session.execute(
        "select has_column_privilege('authenticated', 'public.tts_credentials', 'encrypted_key', 'select') as found"
    )
    assert readable.fetchone() == {"found": False}


@pytest.mark.parametrize("back", ["reset role", "set role none", "set role api_login", "discard all"])
def test_a_learner_who_gets_out_of_their_role_can_do_nothing(
    module_database: Database, own: Possessions, back: LiteralString
) -> None:
    with psycopg.connect(module_database.api_url, autocommit=True) as connection:
        connection.execute("set role authenticated")
        connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": str(own.user)})])
        connection.execute(back)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select 1 from public.notebooks")


@pytest.mark.parametrize("relation", ["notebooks", "jobs", "notebook_audio_statuses"])
def test_switching_row_level_security_off_ends_in_an_error(
    module_database: Database, own: Possessions, relation: str
) -> None:
    with rolled_back(module_database.api_url) as connection:
        become(connection, own.user)
        connection.execute("set local row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(SQL("select 1 from public.{}").format(Identifier(relation)))


@pytest.mark.parametrize("locking", ["for update", "for no key update", "for share", "for key share"])
def test_a_learner_locks_no_row_that_they_may_not_change(
    module_database: Database, own: Possessions, locking: LiteralString
) -> None:
    with rolled_back(module_database.api_url) as connection:
        become(connection, own.user)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(SQL("select 1 from public.jobs ") + SQL(locking))


class TestClaims:
    """`request.jwt.claims` is a setting: whoever sends SQL of their own can set it.

    The API sends none of a learner's. PostgREST sets it from a verified token, and offers a browser nothing but the
    relations and functions of the exposed schemas.
    """

    def test_who_sends_sql_as_the_api_chooses_whose_rows_they_see(
        self, module_database: Database, own: Possessions, other: Possessions
    ) -> None:
        with rolled_back(module_database.api_url) as connection:
            become(connection, own.user)
            connection.execute("select set_config('request.jwt.claims', %s, true)", [claims_of(other)])
            seen = connection.execute("select user_id from public.notebooks").fetchall()

        assert seen == [{"user_id": other.user}]

    @pytest.mark.parametrize("role", ["anon", "authenticated"])
    def test_no_function_is_offered_to_a_browser_that_could_set_them(
        self, module_database: Database, role: str
    ) -> None:
        offered = module_database.fetch(
            """
            select proname
            from pg_proc
            where pronamespace = 'public'::regnamespace
              and has_function_privilege(%s, oid, 'execute')
            """,
            [role],
        )

        assert offered == []

    def test_no_relation_is_offered_to_a_browser_whose_columns_compute_anything(
        self, module_database: Database
    ) -> None:
        """A view or a generated column may call functions that the caller could not."""
        computed = module_database.fetch(
            """
            select relname, relkind
            from pg_class
            where relnamespace = 'public'::regnamespace
              and relkind in ('v', 'm', 'f')
              and has_any_column_privilege('authenticated', oid, 'select')
            """
        )

        assert computed == [{"relname": "notebook_audio_statuses", "relkind": "v"}]

    @pytest.mark.usefixtures("own")
    def test_claims_alone_open_nothing(self, module_database: Database, other: Possessions) -> None:
        for url in (module_database.api_url, module_database.worker_url):
            with rolled_back(url) as connection:
                connection.execute("select set_config('request.jwt.claims', %s, true)", [claims_of(other)])
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("select 1 from public.user_voices")

    def test_the_claims_of_a_request_end_with_its_transaction(
        self, module_database: Database, own: Possessions
    ) -> None:
        with psycopg.connect(module_database.api_url) as connection:
            become(connection, own.user)
            connection.commit()
            left = connection.execute("select current_user::text, current_setting('request.jwt.claims', true)")

            assert left.fetchone() == ("api_login", "")

    @pytest.mark.parametrize("claims", ['{"sub": "not a uuid"}', "[]", "null", '"text"', "not json"])
    def test_broken_claims_open_nothing(self, module_database: Database, own: Possessions, claims: str) -> None:
        with rolled_back(module_database.api_url) as connection:
            become(connection, own.user)
            connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            assert seen_with_broken_claims(connection) == []


def claims_of(learner: Possessions) -> str:
    """The claims of a token of theirs."""
    return json.dumps({"sub": str(learner.user), "role": "authenticated"})


def seen_with_broken_claims(connection: Connection) -> list[object]:
    """The notebooks that are seen; none where the claims cannot even be read."""
    try:
        return connection.execute("select id from public.notebooks").fetchall()
    except psycopg.errors.InvalidTextRepresentation:
        return []
