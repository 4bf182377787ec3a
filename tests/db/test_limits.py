"""How much a learner may have: 500 notebooks, 100 phrases in each; also for two who write at once."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.database import Database
from tests.db.logins import Connection, become, signed_in
from tests.db.rows import Rows

COMMITS = pytest.mark.parametrize("does_first_commit", [True, False], ids=["the first commits", "the first does not"])


@contextmanager
def inserted(database: Database, user_id: UUID, statement: LiteralString, count: int) -> Iterator[Connection]:
    """A learner's transaction that has inserted so many rows; it commits in the end."""
    with psycopg.connect(database.api_url) as connection:
        become(connection, user_id)
        connection.execute(statement, [count])
        yield connection


def insert(database: Database, user_id: UUID, statement: LiteralString, count: int) -> None:
    """Insert so many rows, and commit."""
    with inserted(database, user_id, statement, count):
        pass


def race(database: Database, user_id: UUID, statement: LiteralString, *, does_first_commit: bool) -> Future[None]:
    """Let a second insert wait for a first one; returns what became of the second."""
    with ThreadPoolExecutor(1) as pool, inserted(database, user_id, statement, 1) as first:
        second = pool.submit(insert, database, user_id, statement, 1)
        database.wait_until_someone_waits()
        if not does_first_commit:
            first.rollback()
    return second


class TestNotebooks:
    INSERT: LiteralString = """
        insert into public.notebooks (name)
        select 'Notebook ' || gen_random_uuid()
        from generate_series(1, %s)
    """

    def test_500_are_accepted_and_the_next_is_refused(self, rows: Rows) -> None:
        with signed_in(rows.database, rows.database.create_user()) as transaction:
            assert transaction.execute(self.INSERT, [500]).rowcount == 500

            with pytest.raises(psycopg.errors.CheckViolation) as refusal:
                transaction.execute(self.INSERT, [1])

        assert refusal.value.diag.constraint_name == "notebooks_limit"

    def test_501_at_once_are_refused(self, rows: Rows) -> None:
        with (
            signed_in(rows.database, rows.database.create_user()) as transaction,
            pytest.raises(psycopg.errors.CheckViolation, match="more than 500 notebooks"),
        ):
            transaction.execute(self.INSERT, [501])

    def test_one_that_is_deleted_makes_room(self, rows: Rows) -> None:
        with signed_in(rows.database, rows.database.create_user()) as transaction:
            transaction.execute(self.INSERT, [500])
            transaction.execute("delete from public.notebooks where id = (select id from public.notebooks limit 1)")

            assert transaction.execute(self.INSERT, [1]).rowcount == 1

    def test_those_of_another_learner_do_not_count(self, rows: Rows) -> None:
        insert(rows.database, rows.database.create_user(), self.INSERT, 500)

        with signed_in(rows.database, rows.database.create_user()) as transaction:
            assert transaction.execute(self.INSERT, [1]).rowcount == 1

    @COMMITS
    def test_two_for_the_last_place_wait_for_each_other(self, rows: Rows, *, does_first_commit: bool) -> None:
        user_id = rows.database.create_user()
        insert(rows.database, user_id, self.INSERT, 499)

        second = race(rows.database, user_id, self.INSERT, does_first_commit=does_first_commit)

        assert isinstance(second.exception(), psycopg.errors.CheckViolation if does_first_commit else type(None))
        assert rows.database.fetch("select count(*) from public.notebooks") == [{"count": 500}]


class TestPhrases:
    INSERT: LiteralString = """
        insert into public.phrases (notebook_id, position, en_text, pl_text)
        select notebooks.id, (select coalesce(max(position), 0) from public.phrases) + added, 'Hello.', 'Cześć.'
        from public.notebooks
        cross join generate_series(1, %s) as added
    """
    # Each connection at a position of its own: the limit is to be what they meet at.
    INSERT_ANYWHERE: LiteralString = """
        insert into public.phrases (notebook_id, position, en_text, pl_text)
        select id, pg_backend_pid() + %s, 'Hello.', 'Cześć.'
        from public.notebooks
    """

    @pytest.fixture
    def user_id(self, rows: Rows) -> UUID:
        """A learner with one notebook."""
        user_id = rows.database.create_user()
        rows.notebook(user_id)
        return user_id

    def test_100_are_accepted_and_the_next_is_refused(self, rows: Rows, user_id: UUID) -> None:
        with signed_in(rows.database, user_id) as transaction:
            assert transaction.execute(self.INSERT, [100]).rowcount == 100

            with pytest.raises(psycopg.errors.CheckViolation) as refusal:
                transaction.execute(self.INSERT, [1])

        assert refusal.value.diag.constraint_name == "phrases_limit"

    def test_101_at_once_are_refused(self, rows: Rows, user_id: UUID) -> None:
        with (
            signed_in(rows.database, user_id) as transaction,
            pytest.raises(psycopg.errors.CheckViolation, match="more than 100 phrases"),
        ):
            transaction.execute(self.INSERT, [101])

    def test_each_notebook_has_room_for_100(self, rows: Rows, user_id: UUID) -> None:
        rows.notebook(user_id, "Second")

        with signed_in(rows.database, user_id) as transaction:
            assert transaction.execute(self.INSERT, [100]).rowcount == 200

    def test_one_that_is_deleted_makes_room(self, rows: Rows, user_id: UUID) -> None:
        with signed_in(rows.database, user_id) as transaction:
            transaction.execute(self.INSERT, [100])
            transaction.execute("delete from public.phrases where position = 1")

            assert transaction.execute(self.INSERT, [1]).rowcount == 1

    @COMMITS
    def test_two_for_the_last_place_wait_for_each_other(
        self, rows: Rows, user_id: UUID, *, does_first_commit: bool
    ) -> None:
        rows.phrases(rows.database.fetch("select id from public.notebooks")[0]["id"], 99)

        second = race(rows.database, user_id, self.INSERT_ANYWHERE, does_first_commit=does_first_commit)

        assert isinstance(second.exception(), psycopg.errors.CheckViolation if does_first_commit else type(None))
        assert rows.database.fetch("select count(*) from public.phrases") == [{"count": 100}]
