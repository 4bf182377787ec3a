"""Jobs, as the learner deals with them: start, watch, cancel."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from structlog.contextvars import bind_contextvars

from shared.auth import User
from shared.clients.task_queues import TaskQueues
from shared.db import jobs, notebooks
from shared.db.database import Database, Transaction, spend
from shared.db.idempotency import StoredAnswer
from shared.dto.jobs import GenerateRebuildJobRequest, Job, JobAccepted, JobCanceled, JobPage, JobQuery
from shared.dto.tasks import Task, Worker
from shared.errors import TasksUnavailable
from shared.services.paging import Pager
from shared.services.repeating import Outcome, once, repeatable

log = structlog.get_logger()


@dataclass(frozen=True)
class Jobs:
    """What a learner does with jobs."""

    database: Database
    pager: Pager
    queues: TaskQueues

    def generate_rebuild(
        self, user: User, notebook_id: UUID, request: GenerateRebuildJobRequest, idempotency_key: UUID | None
    ) -> Outcome:
        """Start a job; raises NotFound, ValidationFailed, JobInProgress, RateLimited.

        The job is there once its rows are committed; the task only wakes the first worker, and if it gets lost the
        sweep sends another.
        """
        repeated = repeatable("generate-rebuild", idempotency_key, notebook_id, request)
        started: list[Job] = []
        with self.database.as_user(user) as transaction:
            outcome = once(
                transaction, repeated, lambda: _start(transaction, notebook_id, request.timeout_sec, started)
            )
        for job in started:
            bind_contextvars(job_id=str(job.id))
            self._wake_fan_out(job)
        return outcome

    def page(self, user: User, notebook_id: UUID, query: JobQuery) -> JobPage:
        """Jobs of a notebook, newest first; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            notebooks.get(transaction, notebook_id)
            page = self.pager.page(
                [user.id, "jobs", notebook_id, query.state],
                query.cursor,
                query.limit,
                lambda after, limit: jobs.newest(transaction, notebook_id, query.state, after, limit),
                lambda job: [job.created_at, job.id],
            )
        return JobPage(items=page.items, next_cursor=page.next_cursor)

    def get(self, user: User, job_id: UUID) -> Job:
        """One job; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return jobs.get(transaction, job_id)

    def cancel(self, user: User, job_id: UUID) -> JobCanceled:
        """End a job; raises NotFound and CannotCancel. What it has made is collected."""
        with self.database.as_user(user, "write") as transaction:
            jobs.cancel(transaction, job_id)
        return JobCanceled(id=job_id)

    def _wake_fan_out(self, job: Job) -> None:
        try:
            self.queues.send([Task(Worker.FAN_OUT, {"job_id": str(job.id)})])
        except TasksUnavailable:
            log.warning("fan-out was not woken; the sweep will", job_id=str(job.id))


def _start(
    transaction: Transaction, notebook_id: UUID, timeout_seconds: int | None, started: list[Job]
) -> StoredAnswer:
    spend(transaction, "generate")
    job = jobs.start(transaction, notebook_id, timeout_seconds)
    started.append(job)
    return StoredAnswer(202, f"/api/jobs/{job.id}", JobAccepted(job=job).model_dump_json().encode())
