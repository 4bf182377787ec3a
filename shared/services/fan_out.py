"""Begins a job: one task per segment that is still to be made."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.clients.task_queues import TaskQueues
from shared.db import audio_segments, jobs
from shared.db.audio_segments import MissingSegment
from shared.db.database import Database
from shared.dto.schema import utc_now
from shared.dto.speech import requests_per_minute, voice_family
from shared.dto.tasks import Task, Worker


@dataclass(frozen=True)
class FanOut:
    """Wakes one synthesize worker per missing segment."""

    database: Database
    queues: TaskQueues

    def run(self, job_id: UUID, nonce: str = "") -> None:
        """Start the job's time and send its tasks. Sent again, the tasks of a nonce are the same and come once."""
        with self.database.transaction() as transaction:
            if not jobs.run(transaction, job_id):
                return
            missing = audio_segments.missing(transaction, job_id)
        if not missing:
            self.queues.send([finalize_task(job_id, nonce)])
            return
        self.queues.send(list(paced(missing, utc_now(), nonce)))


def paced(missing: Iterable[MissingSegment], now: datetime, nonce: str = "") -> Iterable[Task]:
    """Synthesize tasks at which Google's requests per minute for each voice family are not exceeded."""
    sent: Counter[str] = Counter()
    for segment in missing:
        family = voice_family(segment.voice_id)
        minutes = sent[family] // requests_per_minute(family)
        sent[family] += 1
        yield Task(
            Worker.SYNTHESIZE,
            {"segment_id": str(segment.id)},
            nonce,
            not_before=now + timedelta(minutes=minutes) if minutes else None,
        )


def finalize_task(job_id: UUID, nonce: str = "") -> Task:
    """The task that ends a job of which no segment is missing."""
    return Task(Worker.FINALIZE_BUILD, {"job_id": str(job_id)}, nonce)
