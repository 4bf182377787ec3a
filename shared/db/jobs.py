"""Jobs: as the learner sees them, and as the workers move them along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.jobs import Job, JobError, JobState
from shared.errors import NotFound

# A job that has ended carries its counts; one under way is counted.
SELECT = """
    select
      jobs.id, jobs.user_id, jobs.notebook_id, jobs.type, jobs.state, jobs.started_at, jobs.ended_at, jobs.timeout_sec,
      jobs.error, jobs.created_at,
      json_build_object(
        'total', coalesce(jobs.total_count, live.total),
        'complete', coalesce(jobs.complete_count, live.complete),
        'failed', coalesce(jobs.failed_count, live.failed),
        'missing', coalesce(
          jobs.total_count - jobs.complete_count - jobs.failed_count, live.total - live.complete - live.failed
        )
      ) as progress
    from public.jobs
    cross join lateral (
      select
        count(*) as total,
        count(*) filter (where segments.status = 'complete') as complete,
        count(*) filter (where segments.status = 'failed') as failed
      from public.builds
      join public.audio_segments segments on segments.build_id = builds.id
      where builds.job_id = jobs.id
        and jobs.ended_at is null
    ) live
"""


def start(transaction: Transaction, notebook_id: UUID, timeout_seconds: int | None) -> Job:
    """A new job with its build and its missing segments.

    Raises NotFound, JobInProgress, and ValidationFailed where the key, a voice or every phrase is missing.
    """
    rows = transaction.execute("select private.start_job(%s, %s) as id", [notebook_id, timeout_seconds]).fetchall()
    return get(transaction, rows[0]["id"])


def cancel(transaction: Transaction, job_id: UUID) -> None:
    """End a job of the learner's; raises NotFound and CannotCancel."""
    transaction.execute("select private.cancel_job(%s)", [job_id])


def get(transaction: Transaction, job_id: UUID) -> Job:
    """One job; raises NotFound."""
    cursor = transaction.cursor(row_factory=class_row(Job))
    job = cursor.execute(f"{SELECT} where jobs.id = %s", [job_id]).fetchone()
    if job is None:
        raise NotFound
    return job


def newest(
    transaction: Transaction, notebook_id: UUID, state: JobState | None, after: Sequence[Any] | None, limit: int
) -> list[Job]:
    """At most `limit` jobs of a notebook, newest first, from behind the key `after` (created_at, id)."""
    cursor = transaction.cursor(row_factory=class_row(Job))
    cursor.execute(
        f"""
        {SELECT}
        where jobs.notebook_id = %(notebook_id)s
          and (%(state)s::public.job_state_enum is null or jobs.state = %(state)s)
          and (
            %(after)s::text[] is null
            or (jobs.created_at, jobs.id) < ((%(after)s::text[])[1]::timestamptz, (%(after)s::text[])[2]::uuid)
          )
        order by jobs.created_at desc, jobs.id desc
        limit %(limit)s
        """,
        {"notebook_id": notebook_id, "state": state, "after": after, "limit": limit},
    )
    return cursor.fetchall()


def run(transaction: Transaction, job_id: UUID) -> bool:
    """Let a queued job's time begin; whether the job is running now."""
    transaction.execute(
        "update public.jobs set state = 'running', started_at = now() where id = %s and state = 'queued'", [job_id]
    )
    row = transaction.execute("select from public.jobs where id = %s and state = 'running'", [job_id]).fetchone()
    return row is not None


@dataclass(frozen=True)
class LockedJob:
    """A running job that nobody else can change until the transaction ends."""

    id: UUID
    notebook_id: UUID
    build_id: UUID
    is_late: bool


def lock(transaction: Transaction, job_id: UUID) -> LockedJob | None:
    """The job, if it is queued or running.

    Its notebook is locked first, in the order in which starting a job and deleting a notebook lock them: otherwise the
    end of one job and the start of the next could wait for each other.
    """
    transaction.execute(
        """
        select
        from public.notebooks
        where id = (select notebook_id from public.jobs where id = %s)
        for no key update
        """,
        [job_id],
    )
    cursor = transaction.cursor(row_factory=class_row(LockedJob))
    cursor.execute(
        """
        select
          jobs.id,
          jobs.notebook_id,
          builds.id as build_id,
          clock_timestamp() > private.job_deadline(jobs.started_at, jobs.created_at, jobs.timeout_sec) as is_late
        from public.jobs
        join public.builds on builds.job_id = jobs.id
        where jobs.id = %s
          and jobs.state in ('queued', 'running')
        for update of jobs
        """,
        [job_id],
    )
    return cursor.fetchone()


def end(transaction: Transaction, job_id: UUID, state: JobState, error: JobError | None = None) -> None:
    """End a job that is locked."""
    transaction.execute(
        "update public.jobs set state = %(state)s, error = %(error)s::jsonb where id = %(job_id)s",
        {
            "job_id": job_id,
            "state": state,
            "error": orjson.dumps(error.model_dump()).decode() if error else None,
        },
    )


def late(transaction: Transaction) -> list[UUID]:
    """Jobs under way whose deadline has passed."""
    rows = transaction.execute(
        """
        select id
        from public.jobs
        where ended_at is null
          and now() > private.job_deadline(started_at, created_at, timeout_sec)
        """
    ).fetchall()
    return [row["id"] for row in rows]


@dataclass(frozen=True)
class StalledJob:
    """A job under way on which nothing has moved for a while."""

    id: UUID
    state: JobState
    last_moved_at: datetime


def stalled(transaction: Transaction, stall_seconds: int) -> list[StalledJob]:
    """Jobs under way of which neither the job nor a segment has moved within `stall_seconds`, and none is leased."""
    cursor = transaction.cursor(row_factory=class_row(StalledJob))
    cursor.execute(
        """
        select jobs.id, jobs.state, greatest(jobs.created_at, jobs.started_at, moved.last_moved_at) as last_moved_at
        from public.jobs
        cross join lateral (
          select
            max(segments.updated_at) as last_moved_at,
            max(segments.claimed_until) filter (where segments.status = 'missing') as claimed_until
          from public.builds
          join public.audio_segments segments on segments.build_id = builds.id
          where builds.job_id = jobs.id
        ) moved
        where jobs.ended_at is null
          and greatest(jobs.created_at, jobs.started_at, moved.last_moved_at) < now() - make_interval(secs => %s)
          and coalesce(moved.claimed_until, '-infinity') < now()
        """,
        [stall_seconds],
    )
    return cursor.fetchall()
