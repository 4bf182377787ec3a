"""What the Cloud Tasks server refuses, in Google's words, and how a queue is changed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument, NotFound
from google.cloud.tasks_v2 import HttpRequest, Queue, RateLimits, RetryConfig, Task
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from infra.local.cloud_tasks.times import timestamp
from tests.local.cloud_tasks import PARENT, QUEUE, Call, Tasks, serving, working


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    with working() as worker, serving(worker) as tasks:
        yield tasks


class TestTasks:
    @pytest.mark.parametrize(
        ("task", "message"),
        [
            ({"name": "with space"}, 'Task ID "with space" can contain only letters'),
            ({"http_request": HttpRequest(body=b"x")}, r"HttpRequest\.url is required\."),
            ({"http_request": HttpRequest(url="ftp://x")}, "must start with 'http://'"),
            ({"body": b"x" * 1024 * 1024}, "Task size too large"),
            ({"dispatch_deadline": Duration(seconds=14)}, r"between \[15s, 30m\]"),
            ({"dispatch_deadline": Duration(seconds=1801)}, r"between \[15s, 30m\]"),
            ({"dispatch_deadline": Duration(seconds=2**62)}, r"between \[15s, 30m\]"),
            ({"schedule_time": timestamp(time.time() + 31 * 86400)}, "too far in the future"),
            ({"schedule_time": Timestamp(seconds=2**62)}, "no valid timestamp"),
            ({"schedule_time": Timestamp(seconds=-(2**62))}, "no valid timestamp"),
            ({"schedule_time": Timestamp(seconds=1, nanos=-1)}, "no valid timestamp"),
        ],
    )
    def test_what_google_refuses_is_refused(self, tasks: Tasks, task: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            tasks.create(**task)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("one", "Task name must be formatted"),
            (f"{PARENT}/queues/other/tasks/one", "must be the same as the queue name in the named task"),
        ],
    )
    def test_a_name_elsewhere_is_refused(self, tasks: Tasks, name: str, message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            tasks.client.create_task(parent=QUEUE, task=Task(name=name, http_request=HttpRequest(url="http://x")))

    def test_a_task_for_no_queue_is_refused(self, tasks: Tasks) -> None:
        with pytest.raises(NotFound):
            tasks.client.create_task(
                parent=f"{PARENT}/queues/none", task=Task(http_request=HttpRequest(url="http://x"))
            )

    def test_a_task_that_never_was_is_not_found(self, tasks: Tasks) -> None:
        for method in (tasks.client.get_task, tasks.client.delete_task, tasks.client.run_task):
            with pytest.raises(NotFound, match=r"Requested entity was not found\."):
                method(name=f"{QUEUE}/tasks/never")


class TestDeadlines:
    def test_a_call_may_not_last_longer_than_google_allows(self, tasks: Tasks) -> None:
        with pytest.raises(InvalidArgument, match=r"The deadline cannot be more than 30s in the future\."):
            tasks.client.get_queue(name=QUEUE, timeout=31)

    @pytest.mark.parametrize("timeout", [30, None])
    def test_a_shorter_one_and_none_at_all_are_taken(self, tasks: Tasks, timeout: float | None) -> None:
        assert tasks.client.get_queue(name=QUEUE, timeout=timeout).name == QUEUE


class TestQueues:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"rate_limits": RateLimits(max_dispatches_per_second=-1)}, "maxDispatchesPerSecond cannot be negative"),
            (
                {"rate_limits": RateLimits(max_dispatches_per_second=float("nan"))},
                "maxDispatchesPerSecond cannot be negative",
            ),
            ({"rate_limits": RateLimits(max_dispatches_per_second=501)}, "less than or equal to 500"),
            ({"rate_limits": RateLimits(max_concurrent_dispatches=-1)}, "maxConcurrentDispatches cannot be negative"),
            ({"rate_limits": RateLimits(max_concurrent_dispatches=5001)}, "less than or equal to 5000"),
            ({"retry_config": RetryConfig(max_attempts=-2)}, "maxAttempts must be greater or equal to -1"),
            ({"retry_config": RetryConfig(max_doublings=-1)}, "maxDoublings cannot be negative"),
            ({"retry_config": RetryConfig(min_backoff=Duration(seconds=-1))}, "minBackoff cannot be negative"),
            ({"retry_config": RetryConfig(max_backoff=Duration(seconds=-1))}, "maxBackoff cannot be negative"),
            (
                {"retry_config": RetryConfig(max_backoff=Duration(seconds=2**62))},
                "maxBackoff must be less than or equal to",
            ),
            ({"retry_config": RetryConfig(max_retry_duration=Duration(seconds=-1))}, "maxRetryDuration cannot be neg"),
            (
                {"retry_config": RetryConfig(min_backoff=Duration(seconds=2), max_backoff=Duration(seconds=1))},
                r"minBackoff must be less than or equal to RetryConfig\.maxBackoff",
            ),
        ],
    )
    def test_what_google_refuses_is_refused(self, tasks: Tasks, settings: dict[str, Any], message: str) -> None:
        before = tasks.client.get_queue(name=QUEUE)
        with pytest.raises(InvalidArgument, match=message):
            tasks.client.create_queue(parent=PARENT, queue=Queue(name=f"{PARENT}/queues/new", **settings))
        with pytest.raises(InvalidArgument, match=message):
            tasks.client.update_queue(queue=Queue(name=QUEUE, **settings))
        assert list(tasks.client.list_queues(parent=PARENT)) == [before]

    @pytest.mark.parametrize(
        ("name", "message"),
        [("q", "Queue name must be formatted"), ("projects/p/locations/m/queues/q", f"must begin with {PARENT}")],
    )
    def test_a_name_elsewhere_is_refused(self, tasks: Tasks, name: str, message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            tasks.client.create_queue(parent=PARENT, queue=Queue(name=name))

    def test_a_queue_that_is_not_there_cannot_be_deleted(self, tasks: Tasks) -> None:
        with pytest.raises(NotFound, match=r"Requested entity was not found\."):
            tasks.client.delete_queue(name=f"{PARENT}/queues/none")


class TestUpdates:
    def test_what_the_mask_does_not_name_stays(self, tasks: Tasks) -> None:
        before = tasks.client.get_queue(name=QUEUE)
        after = tasks.client.update_queue(
            queue=Queue(name=QUEUE, rate_limits=RateLimits(max_concurrent_dispatches=7, max_dispatches_per_second=3)),
            update_mask=FieldMask(paths=["rate_limits.max_concurrent_dispatches"]),
        )
        assert after.rate_limits.max_concurrent_dispatches == 7
        assert after.rate_limits.max_dispatches_per_second == before.rate_limits.max_dispatches_per_second
        assert after.retry_config == before.retry_config
        assert tasks.client.get_queue(name=QUEUE) == after

    @pytest.mark.parametrize("mask", [None, FieldMask(paths=["rate_limits", "state"])])
    def test_a_paused_queue_stays_paused(self, tasks: Tasks, mask: FieldMask | None) -> None:
        tasks.client.pause_queue(name=QUEUE)
        running = Queue(name=QUEUE, state=Queue.State.RUNNING)
        assert tasks.client.update_queue(queue=running, update_mask=mask).state == Queue.State.PAUSED
        tasks.create()
        time.sleep(0.1)
        assert tasks.worker.calls == []

    def test_without_a_mask_everything_is_changed(self, tasks: Tasks) -> None:
        after = tasks.client.update_queue(queue=Queue(name=QUEUE, rate_limits=RateLimits(max_concurrent_dispatches=7)))
        assert (after.rate_limits.max_concurrent_dispatches, after.retry_config.max_attempts) == (7, 100)

    @pytest.mark.parametrize("path", ["rate_limits", "rate_limits.max_burst_size"])
    def test_the_burst_size_is_not_the_callers_to_set(self, tasks: Tasks, path: str) -> None:
        before = tasks.client.get_queue(name=QUEUE)
        bursting = Queue(name=QUEUE, rate_limits=RateLimits(max_burst_size=before.rate_limits.max_burst_size + 1))
        assert tasks.client.update_queue(queue=bursting, update_mask=FieldMask(paths=[path])) == before

    def test_an_unknown_field_is_refused(self, tasks: Tasks) -> None:
        with pytest.raises(InvalidArgument, match="Invalid update mask: colour"):
            tasks.client.update_queue(queue=Queue(name=QUEUE), update_mask=FieldMask(paths=["colour"]))

    def test_a_missing_queue_is_made(self, tasks: Tasks) -> None:
        name = f"{PARENT}/queues/new"
        made = tasks.client.update_queue(queue=Queue(name=name), update_mask=FieldMask(paths=["rate_limits"]))
        assert made == tasks.client.get_queue(name=name)
        assert made.state == Queue.State.RUNNING

    def test_a_higher_limit_holds_at_once(self, tasks: Tasks) -> None:
        def slowly(_: Call) -> tuple[int, dict[str, str]]:
            time.sleep(0.1)
            return 204, {}

        tasks.worker.answer = slowly
        mask = FieldMask(paths=["rate_limits.max_concurrent_dispatches"])
        for limit in (1, 4):
            tasks.worker.most_busy = 0
            limits = RateLimits(max_concurrent_dispatches=limit)
            tasks.client.update_queue(queue=Queue(name=QUEUE, rate_limits=limits), update_mask=mask)
            for _ in range(5):
                tasks.create()
            tasks.settle()
            assert tasks.worker.most_busy == limit
