"""What becomes of one segment when its making goes wrong."""

import base64
from dataclasses import replace
from uuid import UUID

import pytest

from shared.clients.audio_storage import AudioStorage, TimeLimits
from shared.config import KeyRingSettings, StorageSettings
from shared.db import audio_segments
from shared.dto.jobs import Job, JobState
from shared.dto.tasks import Task, Worker
from shared.errors import DatabaseFailed, TryAgainLater
from shared.services.key_ring import KeyRing
from tests.pipeline.world import World


def started(world: World, key: str = "AIzaLocalKey") -> tuple[Job, list[Task]]:
    """A running job of one phrase, and its four synthesize tasks."""
    job = world.start(world.notebook(key=key))
    world.deliver(world.queues.take(Worker.FAN_OUT)[0])
    return job, world.queues.take(Worker.SYNTHESIZE)


def segment_of(task: Task) -> UUID:
    return UUID(task.body["segment_id"])


@pytest.mark.parametrize(
    ("key", "code"),
    [("AIzaQuotaKey", "quota"), ("AIzaSlowKey", "tts_timeout")],
)
def test_what_may_pass_is_tried_three_times_and_then_fails(world: World, key: str, code: str) -> None:
    job, tasks = started(world, key)
    for attempt in (1, 2):
        with pytest.raises(TryAgainLater):
            world.synthesis.run(segment_of(tasks[0]))
        row = world.segments(job)[0]
        assert (row["status"], row["attempts"]) == ("missing", attempt)
        world.move_clock(seconds=60)
    world.synthesis.run(segment_of(tasks[0]))
    row = world.segments(job)[0]
    assert (row["status"], row["attempts"], row["error_code"]) == ("failed", 3, code)


def test_a_quota_is_waited_for_as_long_as_google_says(world: World) -> None:
    _, tasks = started(world, "AIzaQuotaKey")
    with pytest.raises(TryAgainLater) as refusal:
        world.synthesis.run(segment_of(tasks[0]))
    assert refusal.value.retry_after_seconds == pytest.approx(30, abs=1)
    asked = world.synthesized_texts()
    with pytest.raises(TryAgainLater):
        world.synthesis.run(segment_of(tasks[0]))
    assert world.synthesized_texts() == asked


def test_a_flaky_service_is_tried_until_it_answers(world: World) -> None:
    job, tasks = started(world, "AIzaFlakyKey")
    for _ in range(3):
        for task in tasks:
            world.deliver(task)
    world.deliver_all()
    assert world.job(job).state is JobState.SUCCEEDED


def test_a_bucket_out_of_reach_fails_the_segment_in_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job, tasks = started(world)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    unreachable = AudioStorage(StorageSettings(audio_bucket="any"), TimeLimits(1, 1, 0.1))
    synthesis = replace(world.synthesis, storage=unreachable)
    for _ in range(2):
        with pytest.raises(TryAgainLater):
            synthesis.run(segment_of(tasks[0]))
    synthesis.run(segment_of(tasks[0]))
    assert world.segments(job)[0]["error_code"] == "storage"


def test_a_key_that_was_removed_meanwhile_fails_the_job(world: World) -> None:
    job, tasks = started(world)
    world.database.execute("delete from public.tts_credentials")
    world.deliver(tasks[0])
    ended = world.job(job)
    assert ended.state is JobState.FAILED
    assert ended.error is not None
    assert ended.error.code == "invalid_key"


def test_a_worker_that_dies_at_every_attempt_ends_as_a_failed_segment(world: World) -> None:
    job, tasks = started(world)
    for _ in range(3):
        with world.workers.transaction() as transaction:
            assert audio_segments.claim(transaction, segment_of(tasks[0]), 60)
        world.move_clock(seconds=61)
    world.synthesis.run(segment_of(tasks[0]))
    assert world.segments(job)[0]["error_code"] == "internal"


def test_a_database_that_fails_after_the_upload_costs_no_second_synthesis(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, tasks = started(world)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseFailed

    with monkeypatch.context() as broken:
        broken.setattr(audio_segments, "complete", fail)
        with pytest.raises(DatabaseFailed):
            world.synthesis.run(segment_of(tasks[0]))
    assert world.segments(job)[0]["status"] == "missing"
    world.move_clock(seconds=61)
    world.synthesis.run(segment_of(tasks[0]))
    assert world.segments(job)[0]["status"] == "complete"
    assert world.synthesized_texts() == 1


def test_after_a_job_was_canceled_its_segments_make_no_call(world: World) -> None:
    job, tasks = started(world)
    world.database.execute("update public.jobs set state = 'canceled' where id = %s", [job.id])
    assert [world.deliver(task) for task in tasks] == [True] * 4
    assert world.synthesized_texts() == 0


def test_a_key_of_an_older_ring_key_works_and_is_encrypted_again(world: World) -> None:
    job, tasks = started(world)
    old = "test:" + base64.b64encode(bytes(32)).decode()
    new = "next:" + base64.b64encode(bytes([1] * 32)).decode()
    rotated = KeyRing(
        KeyRingSettings.model_validate(
            {"key_ring": f"{new},{old}", "key_fingerprint_secret": "a secret for fingerprints"}
        )
    )
    replace(world.synthesis, key_ring=rotated).run(segment_of(tasks[0]))
    assert world.segments(job)[0]["status"] == "complete"
    stored = world.database.fetch("select encrypted_key from public.tts_credentials")[0]["encrypted_key"]
    assert rotated.is_current(stored)
    assert rotated.decrypt(stored, world.user.id) == "AIzaLocalKey"
