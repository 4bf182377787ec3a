"""The pipeline with a test's hand on the deliveries; the database, the storage and the speech are real."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from google.cloud.storage import Bucket

from infra.local.text_to_speech import TextToSpeechServer
from shared.auth import User
from shared.clients.audio_storage import AudioStorage
from shared.clients.task_queues import TaskQueues, task_name
from shared.clients.text_to_speech import TextToSpeech
from shared.config import SweepSettings, SynthesisSettings
from shared.db import jobs, notebooks, phrases, tts_credentials, user_voices
from shared.db.database import Database as Connections
from shared.dto.jobs import Job
from shared.dto.schema import utc_now
from shared.dto.tasks import Task, Worker
from shared.dto.voices import VoiceSlot
from shared.errors import TryAgainLater
from shared.services.fan_out import FanOut
from shared.services.finalization import Finalization
from shared.services.garbage_collection import GarbageCollection
from shared.services.key_ring import KeyRing
from shared.services.sweep import Sweep
from shared.services.synthesis import Synthesis
from tests.database import Database
from tests.learner import KEY, VOICES

THREE_ATTEMPTS = SynthesisSettings(lease_seconds=60, synthesis_attempts=3)


class HeldQueues(TaskQueues):
    """Takes tasks as Cloud Tasks does, a name only once, and keeps them until a test delivers or loses them."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.waiting: list[Task] = []

    def send(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if task_name(task) not in self.seen:
                self.seen.add(task_name(task))
                self.waiting.append(task)

    def take(self, worker: Worker | None = None, *, due_at: datetime | None = None) -> list[Task]:
        """The waiting tasks (of one worker, or those that are due), which are not waiting any more."""
        taken = [
            task
            for task in self.waiting
            if (worker is None or task.worker is worker)
            and (due_at is None or task.not_before is None or task.not_before <= due_at)
        ]
        self.waiting = [task for task in self.waiting if task not in taken]
        return taken


@dataclass
class World:
    """One learner, and the workers as the functions put them together."""

    database: Database
    api: Connections
    workers: Connections
    storage: AudioStorage
    bucket: Bucket
    speech_server: TextToSpeechServer
    speech: TextToSpeech
    key_ring: KeyRing
    queues: HeldQueues = field(default_factory=HeldQueues)
    settings: SynthesisSettings = field(default_factory=lambda: THREE_ATTEMPTS)

    def __post_init__(self) -> None:
        self.user = User(self.database.create_user())
        self.fan_out = FanOut(self.workers, self.queues)
        self.synthesis = Synthesis(self.workers, self.queues, self.storage, self.speech, self.key_ring, self.settings)
        self.finalization = Finalization(self.workers, self.queues)
        self.garbage_collection = GarbageCollection(self.workers, self.storage)
        self.sweeper = Sweep(
            self.workers, self.queues, self.fan_out, self.finalization, SweepSettings(stall_seconds=60)
        )

    def store_key(self, key: str = KEY) -> None:
        """Store a key without asking Google."""
        with self.api.as_user(self.user) as transaction:
            tts_credentials.record_test(transaction, self.key_ring.hmac(key))
            tts_credentials.store(
                transaction,
                self.key_ring.hmac(key),
                self.key_ring.encrypt(key, self.user.id),
                self.key_ring.fingerprint(key),
            )

    def notebook(self, *pairs: tuple[str, str], name: str = "Notebook", key: str = KEY) -> UUID:
        """A notebook that is ready to be generated."""
        self.store_key(key)
        with self.api.as_user(self.user) as transaction:
            for slot, voice_id in VOICES.items():
                user_voices.put(transaction, VoiceSlot(slot), voice_id[:2], voice_id)
            notebook = notebooks.add(transaction, name)
            phrases.add_all(transaction, notebook.id, pairs or [("Hello.", "Cześć.")])
        return notebook.id

    def start(self, notebook_id: UUID, timeout_seconds: int | None = 1800) -> Job:
        """Start a job as the API does, and send its first task."""
        with self.api.as_user(self.user) as transaction:
            job = jobs.start(transaction, notebook_id, timeout_seconds)
        self.queues.send([Task(Worker.FAN_OUT, {"job_id": str(job.id)})])
        return job

    def deliver(self, task: Task) -> bool:
        """Deliver a task once; whether the worker was done with it."""
        try:
            match task.worker:
                case Worker.FAN_OUT:
                    self.fan_out.run(UUID(task.body["job_id"]))
                case Worker.SYNTHESIZE:
                    self.synthesis.run(UUID(task.body["segment_id"]))
                case Worker.FINALIZE_BUILD:
                    self.finalization.run(UUID(task.body["job_id"]))
                case Worker.COLLECT_GARBAGE:
                    self.garbage_collection.run(UUID(task.body["build_id"]))
        except TryAgainLater:
            return False
        return True

    def deliver_all(self, *, times: int = 1, order: random.Random | None = None) -> None:
        """Deliver what is due until nothing is, each task as often as said, in whatever order."""
        while tasks := self.queues.take(due_at=utc_now()):
            deliveries = tasks * times
            if order:
                order.shuffle(deliveries)
            for task in deliveries:
                self.deliver(task)

    def generate(self, notebook_id: UUID) -> Job:
        """A job from beginning to end."""
        job = self.start(notebook_id)
        self.deliver_all()
        return self.job(job)

    def job(self, job: Job) -> Job:
        """The job as it is now."""
        with self.api.as_user(self.user) as transaction:
            return jobs.get(transaction, job.id)

    def build_of(self, job: Job) -> UUID:
        """The build of a job."""
        build_id: UUID = self.database.fetch("select id from public.builds where job_id = %s", [job.id])[0]["id"]
        return build_id

    def segments(self, job: Job) -> list[dict[str, Any]]:
        """The rows of a job's segments, in the order they are played."""
        return self.database.fetch(
            """
            select segments.*
            from public.audio_segments segments
            join public.builds on builds.id = segments.build_id
            join public.phrases on phrases.id = segments.phrase_id
            where builds.job_id = %s
            order by phrases.position, voice_slot
            """,
            [job.id],
        )

    def objects(self) -> set[str]:
        """The names of all objects of this learner."""
        return {blob.name for blob in self.bucket.list_blobs(prefix=f"audio/{self.user.id}/")}

    def read(self, path: str) -> bytes:
        """The bytes of an object."""
        data: bytes = self.bucket.blob(path).download_as_bytes()
        return data

    def collect(self) -> None:
        """Sweep, and collect what is due."""
        self.sweeper.run()
        self.deliver_all()

    def move_clock(self, **by: float) -> None:
        """Let time pass, as far as the rows know: everything in them happened so much earlier."""
        moved = timedelta(**by)
        self.database.execute("update private.garbage set not_before = not_before - %s", [moved])
        self.database.execute("alter table public.jobs disable trigger jobs_step")
        self.database.execute(
            "update public.jobs set created_at = created_at - %(by)s, started_at = started_at - %(by)s", {"by": moved}
        )
        self.database.execute("alter table public.jobs enable trigger jobs_step")
        self.database.execute("alter table public.audio_segments disable trigger audio_segments_touch_updated_at")
        self.database.execute(
            """
            update public.audio_segments
            set updated_at = updated_at - %(by)s, claimed_until = claimed_until - %(by)s
            """,
            {"by": moved},
        )
        self.database.execute("alter table public.audio_segments enable trigger audio_segments_touch_updated_at")

    def synthesized_texts(self) -> int:
        """How often Google was asked to speak."""
        return len([request for request in self.speech_server.requests if request.path.endswith("text:synthesize")])
