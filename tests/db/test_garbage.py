"""The list of objects to delete: what puts something on it, and what a collector may take."""

from contextlib import suppress
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import pytest

from shared.db import audio_segments, garbage
from shared.db.database import Database as Connections
from shared.dto.jobs import JobState
from tests.database import Database
from tests.db.rows import Possessions, Rows


@pytest.fixture
def own(rows: Rows) -> Possessions:
    """What one learner has, garbage excepted."""
    own = rows.possessions()
    rows.database.execute("delete from private.garbage")
    return own


def prefix(own: Possessions, build_id: UUID) -> str:
    return f"audio/{own.user}/{own.notebook}/{build_id}/"


def listed(database: Database) -> set[str]:
    return {item["prefix"] for item in database.fetch("select prefix from private.garbage")}


def put_on_the_list(database: Database, build_id: UUID, prefix: str, due_in: timedelta = timedelta()) -> None:
    database.execute(
        "insert into private.garbage (build_id, prefix, not_before) values (%s, %s, clock_timestamp() + %s)",
        [build_id, prefix, due_in],
    )


class TestWhatIsPutOnTheList:
    def test_a_deleted_phrase_in_each_of_its_builds(self, database: Database, own: Possessions) -> None:
        database.execute("delete from public.phrases where id = %s", [own.phrase])

        assert listed(database) == {
            f"{prefix(own, own.build)}{own.phrase}/",
            f"{prefix(own, own.canceled_build)}{own.phrase}/",
        }

    def test_each_phrase_once_however_many_segments_it_has(
        self, rows: Rows, database: Database, own: Possessions
    ) -> None:
        for slot in ("EN2", "EN3", "PL"):
            rows.segment(own.build, own.phrase, slot, "complete")
        database.execute("delete from public.audio_segments where build_id = %s", [own.build])

        assert listed(database) == {f"{prefix(own, own.build)}{own.phrase}/"}

    @pytest.mark.parametrize("statement", ["delete from public.notebooks", "delete from auth.users"])
    def test_the_builds_of_a_deleted_notebook_or_account_each_as_a_whole(
        self, database: Database, own: Possessions, statement: LiteralString
    ) -> None:
        database.execute(statement)

        assert listed(database) == {prefix(own, own.build), prefix(own, own.canceled_build)}

    def test_nothing_more_of_a_build_that_is_listed_as_a_whole(self, database: Database, own: Possessions) -> None:
        put_on_the_list(database, own.build, prefix(own, own.build))

        database.execute("delete from public.phrases where id = %s", [own.phrase])

        assert listed(database) == {prefix(own, own.build), f"{prefix(own, own.canceled_build)}{own.phrase}/"}

    def test_a_deletion_that_is_rolled_back_leaves_the_list_as_it_was(
        self, workers: Connections, database: Database, own: Possessions
    ) -> None:
        with suppress(ZeroDivisionError), workers.transaction() as transaction:
            audio_segments.delete_of(transaction, own.build)
            raise ZeroDivisionError

        assert listed(database) == set()


class TestWhatACollectorMayTake:
    def test_what_is_due(self, workers: Connections, database: Database, own: Possessions) -> None:
        put_on_the_list(database, own.canceled_build, prefix(own, own.canceled_build))

        with workers.transaction() as transaction:
            due = garbage.due(transaction, own.canceled_build)

        assert [(item.prefix, item.is_in_use) for item in due] == [(prefix(own, own.canceled_build), False)]

    def test_nothing_before_it_is_due(self, workers: Connections, database: Database, own: Possessions) -> None:
        put_on_the_list(database, own.build, prefix(own, own.build), timedelta(minutes=1))

        with workers.transaction() as transaction:
            assert garbage.due(transaction, own.build) == []
            assert garbage.due_builds(transaction, 10) == []
            assert garbage.collectable_at(transaction, own.build) is not None

    @pytest.mark.parametrize("is_one_phrase", [False, True])
    def test_what_is_played_is_marked_as_in_use(
        self, workers: Connections, database: Database, own: Possessions, *, is_one_phrase: bool
    ) -> None:
        put_on_the_list(database, own.build, prefix(own, own.build) + (f"{own.phrase}/" if is_one_phrase else ""))

        with workers.transaction() as transaction:
            assert [item.is_in_use for item in garbage.due(transaction, own.build)] == [True]

    def test_what_a_job_is_making_is_marked_as_in_use(
        self, workers: Connections, rows: Rows, database: Database, own: Possessions
    ) -> None:
        build = rows.build(rows.job(own.notebook, JobState.RUNNING))
        rows.segment(build, own.phrase)
        put_on_the_list(database, build, prefix(own, build))

        with workers.transaction() as transaction:
            assert [item.is_in_use for item in garbage.due(transaction, build)] == [True]

    def test_a_deleted_phrase_of_a_build_that_is_played_is_not_in_use(
        self, workers: Connections, rows: Rows, database: Database, own: Possessions
    ) -> None:
        other_phrase = rows.phrase(own.notebook, 20)
        database.execute("delete from public.phrases where id = %s", [own.phrase])
        rows.segment(own.build, other_phrase, "EN1", "complete")
        database.execute("update public.audio_segments set is_active = true")
        database.execute("update private.garbage set not_before = now()")

        with workers.transaction() as transaction:
            assert [item.is_in_use for item in garbage.due(transaction, own.build)] == [False]

    def test_the_builds_that_wait_longest_come_first(
        self, workers: Connections, database: Database, own: Possessions
    ) -> None:
        put_on_the_list(database, own.build, prefix(own, own.build), -timedelta(minutes=1))
        put_on_the_list(database, own.canceled_build, prefix(own, own.canceled_build), -timedelta(minutes=2))

        with workers.transaction() as transaction:
            assert garbage.due_builds(transaction, 10) == [own.canceled_build, own.build]
            assert garbage.due_builds(transaction, 1) == [own.canceled_build]

    def test_what_is_forgotten_is_off_the_list_and_the_rest_stays(
        self, workers: Connections, database: Database, own: Possessions
    ) -> None:
        put_on_the_list(database, own.build, prefix(own, own.build))
        put_on_the_list(database, own.build, f"{prefix(own, own.build)}{own.phrase}/")

        with workers.transaction() as transaction:
            whole = next(item for item in garbage.due(transaction, own.build) if item.is_whole_build)
            garbage.forget(transaction, whole)

        assert listed(database) == {f"{prefix(own, own.build)}{own.phrase}/"}
