"""The states of a job: which steps Postgres lets it take, and what an end leaves behind."""

from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from shared.db import builds, jobs
from shared.db.database import Database as Connections
from shared.dto.jobs import JobError, JobState
from tests.database import Database
from tests.db.logins import rolled_back
from tests.db.rows import Possessions, Rows

STEPS = {
    JobState.QUEUED: {JobState.QUEUED, JobState.RUNNING, JobState.CANCELED, JobState.FAILED, JobState.TIMEOUT},
    JobState.RUNNING: {
        JobState.RUNNING,
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.CANCELED,
        JobState.TIMEOUT,
    },
}
LEGAL = [(old, new) for old, states in STEPS.items() for new in JobState if new in states]
ILLEGAL = [(old, new) for old in JobState for new in JobState if (old, new) not in LEGAL]
UNSUCCESSFUL = [JobState.FAILED, JobState.CANCELED, JobState.TIMEOUT]

STEP = """
    update public.jobs
    set state = %(state)s,
        started_at = coalesce(started_at, case when %(is_running)s then now() end)
    where id = %(job)s
    returning state, ended_at
"""


@pytest.fixture(scope="module")
def notebook(module_database: Database) -> UUID:
    """A notebook, whose jobs are rolled back."""
    rows = Rows(module_database)
    return rows.notebook(module_database.create_user())


def step(database: Database, notebook_id: UUID, old: JobState, new: JobState) -> dict[str, Any] | None:
    """Let a worker take a job from one state to another; returns its row."""
    job = Rows(database).job(notebook_id, old)
    try:
        with rolled_back(database.worker_url) as transaction:
            return transaction.execute(
                STEP, {"job": job, "state": new, "is_running": new is JobState.RUNNING}
            ).fetchone()
    finally:
        database.execute("delete from public.jobs where id = %s", [job])


@pytest.mark.parametrize(("old", "new"), LEGAL)
def test_a_legal_step_is_taken(module_database: Database, notebook: UUID, old: JobState, new: JobState) -> None:
    job = step(module_database, notebook, old, new)

    assert job is not None
    assert job["state"] == new
    assert (job["ended_at"] is not None) == new.is_terminal


@pytest.mark.parametrize(("old", "new"), ILLEGAL)
def test_an_illegal_step_is_refused(module_database: Database, notebook: UUID, old: JobState, new: JobState) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=f"cannot go from {old} to {new}") as refusal:
        step(module_database, notebook, old, new)

    assert refusal.value.diag.constraint_name == "jobs_state_step"


def test_every_pair_of_states_is_tried() -> None:
    assert len(LEGAL) + len(ILLEGAL) == 36


@pytest.fixture
def own(rows: Rows) -> Possessions:
    """What one learner has, garbage excepted."""
    own = rows.possessions()
    rows.database.execute("delete from private.garbage")
    return own


@pytest.fixture
def running_job(rows: Rows, own: Possessions) -> UUID:
    """A running job of the notebook, one of whose segments is complete, one failed, two missing."""
    job = rows.job(own.notebook, JobState.RUNNING)
    build = rows.build(job)
    for slot, status in (("EN1", "complete"), ("EN2", "failed"), ("EN3", "missing"), ("PL", "missing")):
        rows.segment(build, own.phrase, slot, status)
    return job


def build_of(database: Database, job_id: UUID) -> UUID:
    build_id: UUID = database.fetch("select id from public.builds where job_id = %s", [job_id])[0]["id"]
    return build_id


def job_of(database: Database, job_id: UUID) -> dict[str, Any]:
    return database.fetch("select * from public.jobs where id = %s", [job_id])[0]


def garbage(database: Database) -> list[dict[str, Any]]:
    return database.fetch("select build_id, prefix from private.garbage")


@pytest.mark.parametrize("state", UNSUCCESSFUL)
def test_an_end_keeps_how_far_the_job_had_come(
    workers: Connections, database: Database, running_job: UUID, state: JobState
) -> None:
    with workers.transaction() as transaction:
        jobs.end(transaction, running_job, state)
    database.execute("delete from public.audio_segments where build_id = %s", [build_of(database, running_job)])

    job = job_of(database, running_job)
    assert (job["total_count"], job["complete_count"], job["failed_count"]) == (4, 1, 1)


@pytest.mark.parametrize("state", UNSUCCESSFUL)
def test_a_job_that_ends_without_success_leaves_its_build_as_garbage(
    workers: Connections, database: Database, own: Possessions, running_job: UUID, state: JobState
) -> None:
    with workers.transaction() as transaction:
        jobs.end(transaction, running_job, state, JobError(code="quota", message="Nie udało się."))

    build = build_of(database, running_job)
    assert garbage(database) == [{"build_id": build, "prefix": f"audio/{own.user}/{own.notebook}/{build}/"}]


def test_a_job_that_ends_without_success_leaves_what_is_played(
    workers: Connections, database: Database, own: Possessions, running_job: UUID
) -> None:
    with workers.transaction() as transaction:
        jobs.end(transaction, running_job, JobState.TIMEOUT)

    assert database.fetch("select id from public.audio_segments where is_active") == [{"id": own.segment}]
    assert database.fetch("select current_build_id from public.notebooks") == [{"current_build_id": own.build}]


def test_a_job_that_was_never_started_leaves_its_build_as_garbage_too(
    workers: Connections, database: Database, rows: Rows, own: Possessions
) -> None:
    job = rows.job(own.notebook)
    build = rows.build(job)

    with workers.transaction() as transaction:
        jobs.end(transaction, job, JobState.CANCELED)

    assert [item["build_id"] for item in garbage(database)] == [build]


def test_a_job_that_succeeds_leaves_the_build_it_replaces_as_garbage(
    workers: Connections, database: Database, own: Possessions, running_job: UUID
) -> None:
    database.execute(
        "update public.audio_segments set status = 'failed', error_code = 'quota' where status = 'missing'"
    )
    with workers.transaction() as transaction:
        builds.activate(transaction, own.notebook, build_of(database, running_job))
        jobs.end(transaction, running_job, JobState.SUCCEEDED)

    assert garbage(database) == [{"build_id": own.build, "prefix": f"audio/{own.user}/{own.notebook}/{own.build}/"}]


def test_the_first_job_that_succeeds_leaves_no_garbage(workers: Connections, database: Database, rows: Rows) -> None:
    notebook_id = rows.notebook(database.create_user())
    job = rows.job(notebook_id, JobState.RUNNING)
    build = rows.build(job)
    rows.segment(build, rows.phrase(notebook_id), "EN1", "complete")

    with workers.transaction() as transaction:
        builds.activate(transaction, notebook_id, build)
        jobs.end(transaction, job, JobState.SUCCEEDED)

    assert garbage(database) == []


def test_garbage_waits_until_no_signed_url_can_name_it(
    workers: Connections, database: Database, running_job: UUID
) -> None:
    before = _now(database)

    with workers.transaction() as transaction:
        jobs.end(transaction, running_job, JobState.CANCELED)

    not_before = database.fetch("select not_before from private.garbage")[0]["not_before"]
    assert before + timedelta(minutes=11) <= not_before <= _now(database) + timedelta(minutes=11)


@pytest.mark.parametrize(
    "change",
    [
        "update public.jobs set error = '{}' where id = %s",
        "update public.jobs set ended_at = now() + interval '1 day' where id = %s",
        "update public.jobs set total_count = 0 where id = %s",
        "update public.jobs set state = state where id = %s",
    ],
)
def test_nothing_of_a_job_that_has_ended_can_be_changed(
    database: Database, own: Possessions, change: LiteralString
) -> None:
    before = job_of(database, own.job)

    with pytest.raises(psycopg.errors.CheckViolation, match="cannot go from succeeded to succeeded"):
        database.execute(change, [own.job])

    assert job_of(database, own.job) == before


def _now(database: Database) -> datetime:
    now: datetime = database.fetch("select clock_timestamp() as now")[0]["now"]
    return now
