"""`notebook_audio_statuses`: what a notebook's current build holds, and what it lacks."""

from typing import Any
from uuid import UUID

import pytest

from shared.dto.jobs import JobState
from tests.database import Database
from tests.db.logins import signed_in
from tests.db.rows import Rows


@pytest.fixture
def user(rows: Rows) -> UUID:
    """A learner."""
    return rows.database.create_user()


@pytest.fixture
def notebook(rows: Rows, user: UUID) -> UUID:
    """A notebook of two phrases without audio."""
    notebook_id = rows.notebook(user)
    rows.phrases(notebook_id, 2)
    return notebook_id


def phrase_ids(database: Database, notebook_id: UUID) -> list[UUID]:
    phrases = database.fetch("select id from public.phrases where notebook_id = %s order by position", [notebook_id])
    return [phrase["id"] for phrase in phrases]


def play(rows: Rows, notebook_id: UUID, **statuses: str) -> UUID:
    """Let a new build with these segments of every phrase be the current one."""
    build = rows.build(rows.job(notebook_id, JobState.SUCCEEDED))
    for phrase_id in phrase_ids(rows.database, notebook_id):
        for slot, status in statuses.items():
            rows.segment(build, phrase_id, slot, status)
    rows.database.execute("update public.audio_segments set is_active = false")
    rows.activate(build)
    return build


def status(database: Database, user_id: UUID) -> dict[str, Any]:
    """The one row that a learner sees, without its time."""
    with signed_in(database, user_id) as transaction:
        rows = transaction.execute(
            """
            select build_id, complete_count, failed_count, missing_count
            from public.notebook_audio_statuses
            """
        ).fetchall()
    assert len(rows) == 1
    return rows[0]


def counts(complete: int, failed: int, missing: int, build: UUID | None = None) -> dict[str, Any]:
    return {"build_id": build, "complete_count": complete, "failed_count": failed, "missing_count": missing}


def test_a_notebook_without_a_build_lacks_four_slots_for_each_phrase(
    database: Database, user: UUID, notebook: UUID
) -> None:
    assert len(phrase_ids(database, notebook)) == 2
    assert status(database, user) == counts(0, 0, 8)


def test_an_empty_notebook_lacks_nothing(rows: Rows, database: Database, user: UUID) -> None:
    rows.notebook(user)

    assert status(database, user) == counts(0, 0, 0)


def test_the_segments_of_the_current_build_are_counted_by_status(
    rows: Rows, database: Database, user: UUID, notebook: UUID
) -> None:
    build = play(rows, notebook, EN1="complete", EN2="complete", EN3="complete", PL="failed")

    assert status(database, user) == counts(6, 2, 0, build)


def test_phrases_added_since_count_as_missing(rows: Rows, database: Database, user: UUID, notebook: UUID) -> None:
    build = play(rows, notebook, EN1="complete", EN2="complete", EN3="complete", PL="complete")

    rows.phrase(notebook, 100)

    assert status(database, user) == counts(8, 0, 4, build)


def test_deleted_phrases_do_not_count(rows: Rows, database: Database, user: UUID, notebook: UUID) -> None:
    build = play(rows, notebook, EN1="complete", EN2="complete", EN3="complete", PL="failed")

    database.execute("delete from public.phrases where id = %s", [phrase_ids(database, notebook)[0]])

    assert status(database, user) == counts(3, 1, 0, build)


def test_only_the_current_build_counts(rows: Rows, database: Database, user: UUID, notebook: UUID) -> None:
    play(rows, notebook, EN1="complete", EN2="complete", EN3="complete", PL="complete")

    build = play(rows, notebook, EN1="complete", EN2="failed", EN3="failed", PL="complete")

    assert status(database, user) == counts(4, 4, 0, build)


def test_a_job_under_way_changes_nothing(rows: Rows, database: Database, user: UUID, notebook: UUID) -> None:
    build = play(rows, notebook, EN1="complete", EN2="complete", EN3="complete", PL="complete")

    next_build = rows.build(rows.job(notebook, JobState.RUNNING))
    rows.segment(next_build, phrase_ids(database, notebook)[0], "EN1", "complete")

    assert status(database, user) == counts(8, 0, 0, build)


def test_the_phrases_of_another_notebook_do_not_count(
    rows: Rows, database: Database, user: UUID, notebook: UUID
) -> None:
    rows.phrases(rows.notebook(database.create_user()), 5)

    assert len(phrase_ids(database, notebook)) == 2
    assert status(database, user) == counts(0, 0, 8)


@pytest.mark.parametrize("changed", ["notebooks", "phrases", "audio_segments"])
def test_the_time_is_that_of_the_last_change_to_the_notebook_its_phrases_or_its_audio(
    rows: Rows, database: Database, notebook: UUID, changed: str
) -> None:
    play(rows, notebook, EN1="complete")
    touch = {
        "notebooks": "update public.notebooks set name = 'Renamed' returning updated_at",
        "phrases": "update public.phrases set pl_text = 'Hej.' returning updated_at",
        "audio_segments": "update public.audio_segments set attempts = 1 returning updated_at",
    }

    touched = database.fetch(touch[changed])

    assert database.fetch("select updated_at from public.notebook_audio_statuses") == [
        {"updated_at": max(row["updated_at"] for row in touched)}
    ]


def test_a_notebook_without_anything_has_a_time(rows: Rows, database: Database, user: UUID) -> None:
    rows.notebook(user)

    assert database.fetch("select updated_at from public.notebook_audio_statuses") == database.fetch(
        "select updated_at from public.notebooks"
    )
