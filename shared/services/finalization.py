"""Ends a job: activates its build, or leaves everything as it was."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from structlog.contextvars import bind_contextvars

from shared.clients.task_queues import TaskQueues
from shared.db import audio_segments, builds, garbage, jobs
from shared.db.audio_segments import Outcome
from shared.db.database import Database, Transaction
from shared.db.jobs import LockedJob
from shared.dto.jobs import FAILED_MESSAGE, JobError, JobState
from shared.dto.tasks import Task, Worker
from shared.errors import TasksUnavailable

log = structlog.get_logger()


@dataclass(frozen=True)
class Finalization:
    """Ends jobs, each once."""

    database: Database
    queues: TaskQueues

    def run(self, job_id: UUID) -> None:
        """End the job in one transaction, unless it has ended or a segment is still missing."""
        bind_contextvars(job_id=str(job_id))
        with self.database.transaction() as transaction:
            job = jobs.lock(transaction, job_id)
            if job is None:
                return
            collectable = _end(transaction, job)
            due_at = garbage.collectable_at(transaction, collectable) if collectable else None
        if collectable and due_at:
            self._wake_collector(Task(Worker.COLLECT_GARBAGE, {"build_id": str(collectable)}, not_before=due_at))

    def _wake_collector(self, task: Task) -> None:
        try:
            self.queues.send([task])
        except TasksUnavailable:
            log.warning("garbage collection was not planned; the sweep will")


def _end(transaction: Transaction, job: LockedJob) -> UUID | None:
    """End a locked job where it can be ended; returns the build that became garbage."""
    outcome = audio_segments.outcome(transaction, job.build_id)
    if outcome.missing:
        return _end_if_late(transaction, job, outcome)
    if not is_worth_activating(outcome):
        code = outcome.most_frequent_error or "internal"
        jobs.end(transaction, job.id, JobState.FAILED, JobError(code=code, message=FAILED_MESSAGE))
        log.error("job failed", error_code=code, failed=outcome.failed)
        return job.build_id
    replaced = builds.activate(transaction, job.notebook_id, job.build_id)
    jobs.end(transaction, job.id, JobState.SUCCEEDED)
    log.info("job succeeded", complete=outcome.complete, failed=outcome.failed)
    return replaced


def _end_if_late(transaction: Transaction, job: LockedJob, outcome: Outcome) -> UUID | None:
    if not job.is_late:
        return None
    jobs.end(transaction, job.id, JobState.TIMEOUT, JobError(code="timeout", message=FAILED_MESSAGE))
    log.error("job timed out", missing=outcome.missing)
    return job.build_id


def is_worth_activating(outcome: Outcome) -> bool:
    """Whether something was made and at most half of the segments failed."""
    return outcome.complete > 0 and outcome.failed * 2 <= outcome.complete + outcome.failed
