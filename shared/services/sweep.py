"""Repairs what got lost: each minute it does what a task should have done and did not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.clients.task_queues import TaskQueues
from shared.config import SweepSettings
from shared.db import expiry, garbage, jobs
from shared.db.database import Database
from shared.dto.jobs import JobState
from shared.dto.schema import utc_now
from shared.dto.tasks import Task, Worker
from shared.services.fan_out import FanOut
from shared.services.finalization import Finalization

log = structlog.get_logger()

COLLECTED_PER_SWEEP = 500


@dataclass(frozen=True)
class Sweep:
    """Times out what is late, re-sends what got lost, forgets what is old."""

    database: Database
    queues: TaskQueues
    fan_out: FanOut
    finalization: Finalization
    settings: SweepSettings
    now: Callable[[], datetime] = utc_now

    def run(self) -> None:
        """One sweep. Late jobs come first: that needs nothing but the database."""
        nonce = f"sweep {self.now():%Y-%m-%dT%H:%M:%S}"
        self._end_late_jobs()
        with self.database.transaction() as transaction:
            forgotten = expiry.forget_old(transaction)
        self._wake_stalled_jobs(nonce)
        self._wake_collectors(nonce)
        log.info("swept", forgotten=forgotten)

    def _end_late_jobs(self) -> None:
        with self.database.transaction() as transaction:
            late = jobs.late(transaction)
        for job_id in late:
            self.finalization.run(job_id)

    def _wake_stalled_jobs(self, nonce: str) -> None:
        with self.database.transaction() as transaction:
            stalled = jobs.stalled(transaction, self.settings.stall_seconds)
        for job in stalled:
            log.warning("job stalled", job_id=str(job.id), state=job.state, last_moved_at=job.last_moved_at)
            if job.state is JobState.QUEUED:
                self.queues.send([Task(Worker.FAN_OUT, {"job_id": str(job.id)}, nonce)])
            else:
                self.fan_out.run(job.id, nonce)

    def _wake_collectors(self, nonce: str) -> None:
        with self.database.transaction() as transaction:
            build_ids = garbage.due_builds(transaction, COLLECTED_PER_SWEEP)
        if build_ids:
            self.queues.send(
                [Task(Worker.COLLECT_GARBAGE, {"build_id": str(build_id)}, nonce) for build_id in build_ids]
            )
