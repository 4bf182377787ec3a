"""The ten things that must always hold, one class each, in the order of docs/glossary.md#what-must-always-hold."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from uuid import UUID, uuid4

import psycopg
import pytest
from mutagen.mp3 import MONO, MP3

from shared.auth import User
from shared.db import audio_segments, builds, jobs
from shared.dto.jobs import JobState
from shared.dto.tasks import Task, Worker
from shared.errors import AppError, JobInProgress, NotFound, TryAgainLater
from tests.pipeline.world import World

TOO_LONG = "\N{CJK UNIFIED IDEOGRAPH-5B57}" * 2000  # 6,000 bytes, where Google takes 5,000
PHRASES = [("One.", "Jeden."), ("Two.", "Dwa."), ("Three.", "Trzy.")]


class Test1OneJobUnderWayPerNotebook:
    def test_a_second_job_is_refused_while_one_is_queued_or_running(self, world: World) -> None:
        notebook_id = world.notebook()
        job = world.start(notebook_id)
        with pytest.raises(JobInProgress):
            world.start(notebook_id)
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        assert world.job(job).state is JobState.RUNNING
        with pytest.raises(JobInProgress):
            world.start(notebook_id)

    def test_of_many_at_once_one_is_accepted(self, world: World) -> None:
        notebook_id = world.notebook()
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: _try(lambda: world.start(notebook_id)), range(8)))
        assert sorted(outcome.__name__ for outcome in outcomes) == ["Job"] + ["JobInProgress"] * 7

    def test_the_index_itself_refuses_a_second_row(self, world: World) -> None:
        job = world.start(world.notebook())
        with pytest.raises(psycopg.errors.UniqueViolation, match="jobs_uq_notebook_active"):
            world.database.execute(
                "insert into public.jobs (user_id, notebook_id) values (%s, %s)", [world.user.id, job.notebook_id]
            )


class Test2OneActiveSegmentPerPhraseAndSlot:
    def test_the_index_refuses_a_second_active_segment(self, world: World) -> None:
        notebook_id = world.notebook()
        first, second = world.generate(notebook_id), world.generate(notebook_id)
        with pytest.raises(psycopg.errors.UniqueViolation, match="audio_segments_uq_active_slot"):
            world.database.execute(
                "update public.audio_segments set is_active = true where build_id = %s", [world.build_of(first)]
            )
        assert {row["is_active"] for row in world.segments(second)} == {True}


class Test3TheFlipIsOneStep:
    def test_a_flip_that_breaks_off_changes_nothing(self, world: World) -> None:
        notebook_id = world.notebook()
        old = world.generate(notebook_id)
        new = world.start(notebook_id)
        for worker in (Worker.FAN_OUT, Worker.SYNTHESIZE):
            for task in world.queues.take(worker):
                world.deliver(task)
        before = _state(world, notebook_id)
        with suppress(_KilledError), world.workers.transaction() as transaction:
            builds.activate(transaction, notebook_id, world.build_of(new))
            raise _KilledError
        assert _state(world, notebook_id) == before
        assert world.job(new).state is JobState.RUNNING
        assert {row["is_active"] for row in world.segments(old)} == {True}

    def test_after_it_all_three_have_changed(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        old, new = world.generate(notebook_id), world.generate(notebook_id)
        assert new.state is JobState.SUCCEEDED
        assert _current_build(world, notebook_id) == world.build_of(new)
        assert {row["is_active"] for row in world.segments(new)} == {True}
        assert {row["is_active"] for row in world.segments(old)} == {False}


class Test4EveryJobEnds:
    @pytest.mark.parametrize("delivered", [0, 1, 5])
    def test_wherever_it_stopped_it_ends_within_two_sweeps_after_its_deadline(
        self, world: World, delivered: int
    ) -> None:
        job = world.start(world.notebook(*PHRASES), timeout_seconds=600)
        for task in world.queues.take(Worker.FAN_OUT)[:delivered]:
            world.deliver(task)
        for task in world.queues.take(Worker.SYNTHESIZE)[: max(0, delivered - 1)]:
            world.deliver(task)
        world.queues.waiting.clear()
        world.move_clock(seconds=601)
        world.sweeper.run()
        world.sweeper.run()
        assert world.job(job).state is JobState.TIMEOUT
        assert world.job(job).error is not None

    def test_what_has_ended_stays_as_it_ended(self, world: World) -> None:
        job = world.generate(world.notebook())
        with pytest.raises(psycopg.errors.CheckViolation, match="a job cannot go from succeeded to running"):
            world.database.execute("update public.jobs set state = 'running' where id = %s", [job.id])


class Test5ACompleteSegmentHasItsObject:
    def test_every_one_parses_and_is_as_long_as_its_row_says(self, world: World) -> None:
        job = world.generate(world.notebook(*PHRASES))
        rows = world.segments(job)
        assert len(rows) == 12
        for row in rows:
            data = world.read(row["path"])
            facts = MP3(BytesIO(data)).info
            assert (facts.sample_rate, facts.bitrate, facts.mode) == (22050, 64000, MONO)
            assert row["size_bytes"] == len(data)
            assert abs(row["duration_ms"] - facts.length * 1000) <= 1

    def test_an_upload_that_was_not_recorded_is_taken_over_and_not_made_again(self, world: World) -> None:
        job = world.start(world.notebook())
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        task = world.queues.take(Worker.SYNTHESIZE)[0]
        world.deliver(task)
        row = world.segments(job)[0]
        spoken = world.synthesized_texts()
        world.database.execute(
            """
            update public.audio_segments
            set status = 'missing', duration_ms = null, size_bytes = null, word_timings = null, text_sha256 = null
            where id = %s
            """,
            [row["id"]],
        )
        assert world.deliver(task)
        again = world.segments(job)[0]
        facts = ("status", "duration_ms", "size_bytes", "word_timings", "text_sha256")
        assert [again[fact] for fact in facts] == [row[fact] for fact in facts]
        assert world.synthesized_texts() == spoken


class Test6WhatPlaysIsNotDeleted:
    def test_replaced_objects_live_until_no_url_can_name_them_and_then_only_they_go(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        old = {row["path"] for row in world.segments(world.generate(notebook_id))}
        new = {row["path"] for row in world.segments(world.generate(notebook_id))}
        world.move_clock(minutes=10)
        world.collect()
        assert world.objects() == old | new
        world.move_clock(minutes=5)
        world.collect()
        assert world.objects() == new

    def test_garbage_that_names_the_active_build_is_left_alone(self, world: World) -> None:
        notebook_id = world.notebook()
        job = world.generate(notebook_id)
        build_id = world.build_of(job)
        world.database.execute(
            "insert into private.garbage (build_id, prefix, not_before) values (%s, %s, now())",
            [build_id, f"audio/{world.user.id}/{notebook_id}/{build_id}/"],
        )
        world.garbage_collection.run(build_id)
        assert world.objects() == {row["path"] for row in world.segments(job)}
        assert {row["status"] for row in world.segments(job)} == {"complete"}

    def test_of_a_deleted_phrase_only_its_own_objects_go(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        rows = world.segments(world.generate(notebook_id))
        phrase_id = rows[0]["phrase_id"]
        world.database.execute("delete from public.phrases where id = %s", [phrase_id])
        world.move_clock(minutes=15)
        world.collect()
        assert world.objects() == {row["path"] for row in rows if row["phrase_id"] != phrase_id}

    def test_of_a_deleted_notebook_every_object_goes(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        world.generate(notebook_id)
        world.database.execute("delete from public.notebooks where id = %s", [notebook_id])
        world.move_clock(minutes=15)
        world.collect()
        assert world.objects() == set()


class Test7AFailureChangesNothingThatWasActive:
    def test_a_refused_key_fails_the_job_and_leaves_the_old_audio(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        world.generate(notebook_id)
        before = _state(world, notebook_id)
        world.store_key("AIzaDisabledSinceThen")
        job = world.generate(notebook_id)
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert (job.error.code, job.error.message) == (
            "invalid_key",
            "Nie udało się wygenerować audio. Spróbuj ponownie.",
        )
        assert {row["error_code"] for row in world.segments(job)} == {"invalid_key"}
        assert _state(world, notebook_id) == before

    def test_a_canceled_job_leaves_the_old_audio_and_its_own_is_collected(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        old = world.generate(notebook_id)
        before = _state(world, notebook_id)
        job = world.start(notebook_id)
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        for task in world.queues.take(Worker.SYNTHESIZE)[:4]:
            world.deliver(task)
        with world.api.as_user(world.user) as transaction:
            jobs.cancel(transaction, job.id)
        world.deliver_all()
        assert world.job(job).state is JobState.CANCELED
        assert _state(world, notebook_id) == before
        world.move_clock(minutes=15)
        world.collect()
        assert world.objects() == {row["path"] for row in world.segments(old)}

    def test_a_job_that_times_out_leaves_the_old_audio(self, world: World) -> None:
        notebook_id = world.notebook()
        world.generate(notebook_id)
        before = _state(world, notebook_id)
        job = world.start(notebook_id, timeout_seconds=60)
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        world.move_clock(seconds=61)
        world.sweeper.run()
        assert world.job(job).state is JobState.TIMEOUT
        assert _state(world, notebook_id) == before

    def test_more_than_half_failed_segments_fail_the_job(self, world: World) -> None:
        job = world.generate(world.notebook((TOO_LONG, TOO_LONG)))
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert job.error.code == "text_too_long"

    def test_a_few_failed_segments_stay_as_rows_of_an_activated_build(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES, ("Four.", TOO_LONG))
        job = world.generate(notebook_id)
        assert job.state is JobState.SUCCEEDED
        assert (job.progress.complete, job.progress.failed, job.progress.missing) == (15, 1, 0)
        assert [row["error_code"] for row in world.segments(job) if row["status"] == "failed"] == ["text_too_long"]


class Test8AnyNumberOfDeliveriesEndsTheSame:
    @pytest.mark.parametrize("seed", range(4))
    def test_every_task_three_times_in_any_order(self, world: World, seed: int) -> None:
        notebook_id = world.notebook(*PHRASES)
        job = world.start(notebook_id)
        world.deliver_all(times=3, order=random.Random(seed))  # noqa: S311
        _assert_succeeded(world, notebook_id, job.id)
        assert world.synthesized_texts() == 12

    def test_all_at_once(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        job = world.start(notebook_id)
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        tasks = world.queues.take(Worker.SYNTHESIZE) * 2
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(world.deliver, tasks))
        finalize = world.queues.take(Worker.FINALIZE_BUILD) * 4
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(world.deliver, finalize))
        _assert_succeeded(world, notebook_id, job.id)
        assert world.synthesized_texts() == 12

    @pytest.mark.parametrize("lost", list(Worker)[:3])
    def test_a_lost_task_is_sent_again_by_the_sweep(self, world: World, lost: Worker) -> None:
        notebook_id = world.notebook(*PHRASES)
        job = world.start(notebook_id)
        while tasks := world.queues.take():
            for task in tasks:
                if task.worker is not lost:
                    world.deliver(task)
        assert world.job(job).state in (JobState.QUEUED, JobState.RUNNING)
        world.move_clock(seconds=120)
        world.sweeper.run()
        world.deliver_all()
        _assert_succeeded(world, notebook_id, job.id)

    def test_with_no_delivery_at_all_the_sweep_gets_there(self, world: World) -> None:
        notebook_id = world.notebook(*PHRASES)
        job = world.start(notebook_id)
        world.queues.waiting.clear()
        world.move_clock(seconds=120)
        world.sweeper.run()
        world.deliver_all()
        _assert_succeeded(world, notebook_id, job.id)

    def test_tasks_of_what_is_gone_are_done_at_once(self, world: World) -> None:
        for worker, name in (
            (Worker.FAN_OUT, "job_id"),
            (Worker.SYNTHESIZE, "segment_id"),
            (Worker.FINALIZE_BUILD, "job_id"),
            (Worker.COLLECT_GARBAGE, "build_id"),
        ):
            assert world.deliver(Task(worker, {name: str(uuid4())}))


class Test9NothingIsSynthesizedTwice:
    def test_a_repeated_delivery_of_a_finished_segment_makes_no_call(self, world: World) -> None:
        world.start(world.notebook())
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        task = world.queues.take(Worker.SYNTHESIZE)[0]
        assert [world.deliver(task) for _ in range(3)] == [True] * 3
        assert world.synthesized_texts() == 1

    def test_two_deliveries_at_once_make_one_call(self, world: World) -> None:
        world.start(world.notebook())
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        task = world.queues.take(Worker.SYNTHESIZE)[0]
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(world.deliver, [task] * 6))
        assert any(done)
        assert world.synthesized_texts() == 1

    def test_a_leased_segment_is_put_off_until_the_lease_ends(self, world: World) -> None:
        job = world.start(world.notebook())
        world.deliver(world.queues.take(Worker.FAN_OUT)[0])
        segment_id = world.segments(job)[0]["id"]
        with world.workers.transaction() as transaction:
            assert audio_segments.claim(transaction, segment_id, 60)
        with pytest.raises(TryAgainLater) as refusal:
            world.synthesis.run(segment_id)
        assert refusal.value.retry_after_seconds == pytest.approx(60, abs=2)
        world.move_clock(seconds=61)
        world.synthesis.run(segment_id)
        assert world.segments(job)[0]["status"] == "complete"


class Test10NobodyElseLearnsThatAThingExists:
    def test_a_stranger_finds_nothing(self, world: World) -> None:
        notebook_id = world.notebook()
        job = world.generate(notebook_id)
        stranger = User(world.database.create_user())
        with world.api.as_user(stranger) as transaction:
            with pytest.raises(NotFound):
                jobs.get(transaction, job.id)
            with pytest.raises(NotFound):
                builds.get(transaction, world.build_of(job))
            with pytest.raises(NotFound):
                audio_segments.get(transaction, world.segments(job)[0]["id"])

    def test_no_one_can_read_a_key(self, world: World) -> None:
        world.store_key()
        stored = world.database.fetch("select encrypted_key from public.tts_credentials")[0]["encrypted_key"]
        assert b"AIza" not in stored
        with pytest.raises(AppError), world.api.as_user(world.user) as transaction:
            transaction.execute("select encrypted_key from public.tts_credentials")
        with pytest.raises(AppError):
            world.key_ring.decrypt(stored, uuid4())


class _KilledError(Exception):
    """The process ended here."""


def _try(action: Callable[[], object]) -> type:
    try:
        return type(action())
    except AppError as error:
        return type(error)


def _current_build(world: World, notebook_id: UUID) -> UUID | None:
    build_id: UUID | None = world.database.fetch(
        "select current_build_id from public.notebooks where id = %s", [notebook_id]
    )[0]["current_build_id"]
    return build_id


def _state(world: World, notebook_id: UUID) -> list[object]:
    """What plays in a notebook, and from which objects."""
    active = world.database.fetch(
        """
        select id, build_id, path, status
        from public.audio_segments
        where notebook_id = %s and is_active
        order by id
        """,
        [notebook_id],
    )
    objects = world.objects()
    return [_current_build(world, notebook_id), active, [row["path"] in objects for row in active]]


def _assert_succeeded(world: World, notebook_id: UUID, job_id: UUID) -> None:
    rows = world.database.fetch("select state, total_count, complete_count from public.jobs where id = %s", [job_id])
    assert rows == [{"state": "succeeded", "total_count": 12, "complete_count": 12}]
    build_id = world.database.fetch("select id from public.builds where job_id = %s", [job_id])[0]["id"]
    assert _current_build(world, notebook_id) == build_id
    paths = world.database.fetch("select path from public.audio_segments where build_id = %s", [build_id])
    assert world.objects() == {row["path"] for row in paths}
