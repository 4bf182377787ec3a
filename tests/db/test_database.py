"""Transactions: as whom they run, what stays of them, and what happens when Postgres does not answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest

from shared.auth import User
from shared.db import notebooks
from shared.db.database import Database as Connections
from shared.errors import DatabaseFailed, NotFound, Unauthorized
from tests.database import Database
from tests.db.logins import connections_of
from tests.db.relay import relay_to

TIMEOUT_SECONDS = 0.3
CONNECT_TIMEOUT_SECONDS = 2  # the least that libpq takes


@pytest.fixture
def user(database: Database) -> User:
    """A learner."""
    return User(database.create_user())


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What takes longer fails the test."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


class TestAsUser:
    def test_a_transaction_runs_as_the_learner(self, api: Connections, user: User) -> None:
        with api.as_user(user) as transaction:
            who = transaction.execute("select current_user::text as role, auth.uid() as id").fetchone()

        assert who == {"role": "authenticated", "id": user.id}

    def test_the_connection_forgets_the_learner_when_it_ends(self, database: Database, user: User) -> None:
        with connections_of(database.api_url, pool_size=1) as api:
            with api.as_user(user):
                pass
            with suppress(NotFound), api.as_user(user):
                raise NotFound
            with api.transaction() as transaction:
                left = transaction.execute(
                    "select current_user::text as role, current_setting('request.jwt.claims', true) as claims"
                ).fetchone()

        assert left == {"role": "api_login", "claims": ""}

    def test_a_learner_who_follows_another_on_a_connection_sees_only_what_is_theirs(
        self, database: Database, user: User
    ) -> None:
        with connections_of(database.api_url, pool_size=1) as api:
            with api.as_user(user) as transaction:
                notebooks.add(transaction, "Mine")
            with api.as_user(User(database.create_user())) as transaction:
                assert transaction.execute("select from public.notebooks").fetchall() == []

    def test_what_is_done_stays(self, api: Connections, database: Database, user: User) -> None:
        with api.as_user(user) as transaction:
            notebooks.add(transaction, "Kept")

        assert database.fetch("select name from public.notebooks") == [{"name": "Kept"}]

    def test_what_a_refused_request_did_is_undone(self, api: Connections, database: Database, user: User) -> None:
        with suppress(NotFound), api.as_user(user, "write") as transaction:
            notebooks.add(transaction, "Undone")
            notebooks.get(transaction, uuid4())

        assert database.fetch("select from public.notebooks") == []

    def test_what_a_request_did_before_it_crashed_is_undone_and_the_crash_is_not_hidden(
        self, api: Connections, database: Database, user: User
    ) -> None:
        with pytest.raises(ZeroDivisionError), api.as_user(user, "write") as transaction:
            raise ZeroDivisionError(notebooks.add(transaction, "Undone"))

        assert database.fetch("select from public.notebooks") == []

    def test_an_account_without_a_row_gets_one(self, api: Connections, database: Database, user: User) -> None:
        database.execute("delete from public.users")

        with api.as_user(user) as transaction:
            notebooks.add(transaction, "First")

        assert database.fetch("select id from public.users") == [{"id": user.id}]

    def test_an_account_that_is_gone_may_do_nothing(self, api: Connections, database: Database, user: User) -> None:
        database.execute("delete from auth.users")

        with pytest.raises(Unauthorized), api.as_user(user):
            pytest.fail("the transaction began")

    def test_a_statement_may_take_10_seconds(self, api: Connections, user: User) -> None:
        with api.as_user(user) as transaction:
            assert transaction.execute("show statement_timeout").fetchone() == {"statement_timeout": "10s"}


class TestWithoutPostgres:
    def test_a_connection_that_broke_meanwhile_is_replaced(self, api: Connections, database: Database) -> None:
        with api.transaction() as transaction:
            pid = transaction.info.backend_pid

        database.execute("select pg_terminate_backend(%s, 5000)", [pid])

        with api.transaction() as transaction:
            assert transaction.info.backend_pid != pid

    def test_a_connection_that_breaks_is_our_fault(self, api: Connections, user: User) -> None:
        with pytest.raises(DatabaseFailed), api.as_user(user) as transaction:
            transaction.execute("select pg_terminate_backend(pg_backend_pid())")

    def test_a_server_that_is_not_there_is_given_up_in_time(self, database: Database) -> None:
        with relay_to(database.api_url) as relay:
            url = relay.url

        with connections_of(url, timeout_seconds=TIMEOUT_SECONDS) as api:
            with within(TIMEOUT_SECONDS + 1), pytest.raises(DatabaseFailed), api.transaction():
                pytest.fail("the transaction began")
            with within(TIMEOUT_SECONDS + 1):
                assert not api.is_reachable()

    def test_a_server_that_never_answers_is_given_up_in_time(self, database: Database) -> None:
        with relay_to(database.api_url) as relay, connections_of(relay.url, timeout_seconds=TIMEOUT_SECONDS) as api:
            relay.fall_silent()

            with within(TIMEOUT_SECONDS + 1), pytest.raises(DatabaseFailed), api.transaction():
                pytest.fail("the transaction began")

    def test_a_server_that_stops_answering_is_noticed_although_connections_to_it_are_open(
        self, database: Database
    ) -> None:
        with relay_to(database.api_url) as relay, connections_of(relay.url, timeout_seconds=TIMEOUT_SECONDS) as api:
            with api.transaction():
                assert api.is_reachable()
            relay.fall_silent()

            with within(CONNECT_TIMEOUT_SECONDS + 1):
                assert not api.is_reachable()

    def test_a_login_that_is_refused_is_unreachable(self, database: Database) -> None:
        url = database.api_url.replace("api_login:", "api_login:wrong")

        with connections_of(url, timeout_seconds=TIMEOUT_SECONDS) as api:
            assert not api.is_reachable()

    def test_a_request_for_which_no_connection_is_free_is_given_up_in_time(self, database: Database) -> None:
        with (
            connections_of(database.api_url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS) as api,
            api.transaction(),
            within(TIMEOUT_SECONDS + 1),
            pytest.raises(DatabaseFailed),
            api.transaction(),
        ):
            pytest.fail("the transaction began")

    def test_transactions_that_come_at_once_share_the_pool(self, api: Connections, user: User) -> None:
        with api.as_user(user) as first, api.as_user(user) as second:
            assert first.info.backend_pid != second.info.backend_pid

    def test_after_it_is_closed_nothing_begins(self, database: Database) -> None:
        with connections_of(database.api_url) as api:
            with api.transaction():
                pass
            api.close()

            with pytest.raises(DatabaseFailed), api.transaction():
                pytest.fail("the transaction began")
