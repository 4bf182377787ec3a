"""Starting a job: the job, its build and its missing segments in one step, or nothing."""

from uuid import UUID

import pytest

from shared.auth import User
from shared.db import jobs
from shared.db.database import Database as Connections
from shared.dto.jobs import JobState
from shared.errors import AppError
from tests.database import Database
from tests.db.rows import Rows
from tests.db.snapshots import rows_about
from tests.learner import VOICES


@pytest.fixture
def user(rows: Rows) -> User:
    """A learner with voices and a key, beside another."""
    rows.possessions()
    user_id = rows.database.create_user()
    rows.voices(user_id)
    rows.key(user_id)
    return User(user_id)


@pytest.fixture
def notebook(rows: Rows, user: User) -> UUID:
    """A notebook of three phrases, beside another."""
    notebook_id = rows.notebook(user.id)
    rows.phrases(notebook_id, 3)
    rows.phrases(rows.notebook(user.id, "Another"), 5)
    return notebook_id


def test_there_is_a_missing_segment_for_every_phrase_and_slot_with_its_voice(
    api: Connections, database: Database, user: User, notebook: UUID
) -> None:
    with api.as_user(user) as transaction:
        job = jobs.start(transaction, notebook, 1800)

    segments = database.fetch(
        """
        select position, voice_slot, voice_id, status, is_active
        from public.audio_segments segments
        join public.builds on builds.id = segments.build_id
        join public.phrases on phrases.id = segments.phrase_id
        where builds.job_id = %s
          and phrases.notebook_id = %s
        order by position, voice_slot
        """,
        [job.id, notebook],
    )
    assert [tuple(segment.values()) for segment in segments] == [
        (position, slot, voice_id, "missing", False) for position in (1, 2, 3) for slot, voice_id in VOICES.items()
    ]


def test_the_job_is_queued_and_the_notebook_names_it(
    api: Connections, database: Database, user: User, notebook: UUID
) -> None:
    with api.as_user(user) as transaction:
        job = jobs.start(transaction, notebook, 60)

    assert (job.state, job.timeout_sec, job.started_at, job.progress.missing) == (JobState.QUEUED, 60, None, 12)
    assert database.fetch("select last_generate_job_id from public.notebooks where id = %s", [notebook]) == [
        {"last_generate_job_id": job.id}
    ]


def test_a_job_may_have_no_limit_of_its_own(api: Connections, user: User, notebook: UUID) -> None:
    with api.as_user(user) as transaction:
        assert jobs.start(transaction, notebook, None).timeout_sec is None


def test_a_voice_chosen_later_is_not_that_of_a_job_under_way(
    api: Connections, database: Database, user: User, notebook: UUID
) -> None:
    with api.as_user(user) as transaction:
        jobs.start(transaction, notebook, 1800)

    database.execute("update public.user_voices set voice_id = 'en-US-Later' where slot = 'EN1'")

    segments = rows_about(database, user.id)["public.audio_segments"]
    assert {segment["voice_id"] for segment in segments if segment["voice_slot"] == "EN1"} == {VOICES["EN1"]}


@pytest.mark.parametrize("lacking", ["public.tts_credentials", "public.user_voices", "public.phrases"])
def test_a_job_that_is_refused_leaves_nothing(
    api: Connections, database: Database, user: User, notebook: UUID, lacking: str
) -> None:
    database.execute(f"delete from {lacking}")  # noqa: S608

    with pytest.raises(AppError), api.as_user(user) as transaction:
        jobs.start(transaction, notebook, 1800)

    assert not {"public.jobs", "public.builds", "public.audio_segments"} & set(rows_about(database, user.id))


def test_two_notebooks_may_have_a_job_each(api: Connections, rows: Rows, user: User, notebook: UUID) -> None:
    other = rows.notebook(user.id, "Third")
    rows.phrase(other)

    with api.as_user(user) as transaction:
        assert jobs.start(transaction, notebook, 1800).id != jobs.start(transaction, other, 1800).id


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_a_job_under_way_can_be_canceled(
    api: Connections, rows: Rows, user: User, notebook: UUID, state: JobState
) -> None:
    job_id = rows.job(notebook, state)

    with api.as_user(user) as transaction:
        jobs.cancel(transaction, job_id)
        job = jobs.get(transaction, job_id)

    assert job.state is JobState.CANCELED
    assert job.ended_at is not None


def test_after_a_canceled_job_another_can_be_started(api: Connections, user: User, notebook: UUID) -> None:
    with api.as_user(user) as transaction:
        jobs.cancel(transaction, jobs.start(transaction, notebook, 1800).id)

        assert jobs.start(transaction, notebook, 1800).state is JobState.QUEUED
