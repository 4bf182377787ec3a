"""What becomes of a delivery that fails, and what the next one says of it."""

import itertools
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
import requests
from google.api_core.exceptions import NotFound
from google.cloud.tasks_v2 import HttpRequest, RetryConfig, Task
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code

from infra.local.cloud_tasks.delivery import Answer, History, deliver
from infra.local.cloud_tasks.oidc import TokenMint
from infra.local.cloud_tasks.retries import MAX_PAUSE_SECONDS, is_spent, pause_seconds
from infra.local.cloud_tasks.times import timestamp, unix_seconds
from tests.local.cloud_tasks import QUEUE, Call, FakeWorker, Tasks, serving, wait_for, working


@pytest.fixture
def worker() -> Iterator[FakeWorker]:
    with working() as worker:
        yield worker


@pytest.fixture
def tasks(worker: FakeWorker) -> Iterator[Tasks]:
    with serving(worker) as tasks:
        yield tasks


class TestRetries:
    def test_a_failed_delivery_comes_again_with_growing_pauses_and_says_so(self, tasks: Tasks) -> None:
        tasks.worker.answer = lambda _: (500 if len(tasks.worker.calls) < 4 else 204, {})
        tasks.create()
        tasks.settle()
        calls = tasks.worker.calls
        assert [call.headers["X-CloudTasks-TaskRetryCount"] for call in calls] == ["0", "1", "2", "3"]
        assert [call.headers.get("X-CloudTasks-TaskPreviousResponse") for call in calls] == [None, "500", "500", "500"]
        assert [call.headers.get("X-CloudTasks-TaskRetryReason") for call in calls] == [None, "", "", ""]
        pauses = [later.at - earlier.at for earlier, later in itertools.pairwise(calls)]
        assert [pauses[index] >= least for index, least in enumerate((0.05, 0.1, 0.2))] == [True] * 3

    def test_after_the_last_attempt_a_task_is_dropped(self, tasks: Tasks) -> None:
        tasks.worker.answer = lambda _: (500, {})
        task = tasks.create()
        tasks.settle()
        assert len(tasks.worker.calls) == 5
        with pytest.raises(NotFound):
            tasks.client.get_task(name=task.name)

    def test_retry_after_is_waited_for(self, tasks: Tasks) -> None:
        tasks.worker.answer = lambda _: (503, {"Retry-After": "1"}) if len(tasks.worker.calls) == 1 else (204, {})
        tasks.create()
        tasks.settle()
        first, second = tasks.worker.calls
        assert second.at - first.at >= 0.95

    def test_a_worker_that_is_not_there_is_tried_again(self, tasks: Tasks) -> None:
        task = tasks.create(http_request=HttpRequest(url="http://127.0.0.1:1/"))
        tasks.settle()
        assert [entry.status for entry in tasks.server.log] == [0] * 5
        assert task.name == tasks.server.log[0].name

    def test_the_last_attempt_is_shown_with_its_status(self, worker: FakeWorker) -> None:
        worker.answer = lambda _: (503, {})
        with serving(worker, {"retryConfig": {"minBackoff": "60s"}}) as tasks:
            task = _tried(tasks, tasks.create())
        status = task.last_attempt.response_status
        assert (status.code, status.message) == (Code.UNAVAILABLE, "UNAVAILABLE(14): HTTP status code 503")

    def test_no_retry_after_holds_a_task_longer_than_google_does(self, worker: FakeWorker) -> None:
        worker.answer = lambda _: (503, {"Retry-After": "9" * 400})
        with serving(worker) as tasks:
            task = _tried(tasks, tasks.create())
        assert unix_seconds(task.schedule_time) == pytest.approx(time.time() + MAX_PAUSE_SECONDS, abs=10)


class TestPauses:
    """The example of https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#retryconfig."""

    RETRIES = RetryConfig(min_backoff=Duration(seconds=10), max_backoff=Duration(seconds=300), max_doublings=3)

    def test_they_double_then_grow_evenly_then_stay(self) -> None:
        pauses = [pause_seconds(self.RETRIES, attempts, 0) for attempts in range(1, 9)]
        assert pauses == [10, 20, 40, 80, 160, 240, 300, 300]

    def test_many_doublings_end_at_the_longest_pause(self) -> None:
        retries = RetryConfig(min_backoff=Duration(seconds=10), max_backoff=Duration(seconds=300), max_doublings=10**6)
        assert pause_seconds(retries, 10**6, 0) == 300

    def test_a_task_ends_when_both_limits_are_reached(self) -> None:
        retries = RetryConfig(max_attempts=3, max_retry_duration=Duration(seconds=60))
        reached = [is_spent(retries, attempts, age) for attempts, age in ((3, 59), (2, 61), (3, 61))]
        assert reached == [False, False, True]


class TestDeadlines:
    def test_an_answer_after_the_deadline_is_a_failure_and_the_task_comes_again(self, worker: FakeWorker) -> None:
        """Google's own retry says 504 then, and does not count the attempt as executed."""
        is_over = threading.Event()

        def late_at_first(_: Call) -> tuple[int, dict[str, str]]:
            if len(worker.calls) == 1:
                is_over.wait(10)
            return 204, {}

        worker.answer = late_at_first
        with serving(worker, min_dispatch_deadline_seconds=0.2) as tasks:
            tasks.create(dispatch_deadline=Duration(nanos=200_000_000))
            tasks.settle()
            is_over.set()
        assert [entry.status for entry in tasks.server.log] == [0, 204]
        headers = worker.calls[1].headers
        assert headers["X-CloudTasks-TaskPreviousResponse"] == "504"
        assert (headers["X-CloudTasks-TaskRetryCount"], headers["X-CloudTasks-TaskExecutionCount"]) == ("1", "0")


class TestPreviousResponse:
    def test_it_is_not_told_of_an_attempt_that_found_no_worker(self, worker: FakeWorker) -> None:
        _deliver_once(worker, History(attempts=2, answers=1, previous_status=Answer(0).reported_status))
        headers = worker.calls[0].headers
        assert headers["X-CloudTasks-TaskRetryCount"] == "2"
        assert not {"X-CloudTasks-TaskPreviousResponse", "X-CloudTasks-TaskRetryReason"} & headers.keys()


class TestRetryAfter:
    @pytest.mark.parametrize(("value", "expected"), [("7", 7), ("soon", 0), ("-1", 0), ("", 0)])
    def test_it_is_a_number_of_seconds(self, worker: FakeWorker, value: str, expected: float) -> None:
        worker.answer = lambda _: (429, {"Retry-After": value})
        assert _deliver_once(worker, History()).retry_after_seconds == expected

    @pytest.mark.parametrize(("in_seconds", "expected"), [(3600, 3600), (-3600, 0)])
    def test_or_it_is_a_date(self, worker: FakeWorker, in_seconds: float, expected: float) -> None:
        worker.answer = lambda _: (429, {"Retry-After": formatdate(time.time() + in_seconds, usegmt=True)})
        assert _deliver_once(worker, History()).retry_after_seconds == pytest.approx(expected, abs=5)


def _tried(tasks: Tasks, task: Task) -> Task:
    """The task after its first attempt."""
    wait_for(lambda: tasks.client.get_task(name=task.name).dispatch_count == 1)
    return tasks.client.get_task(name=task.name)


def _deliver_once(worker: FakeWorker, history: History) -> Answer:
    """What comes of an attempt that no queue knows of."""
    request = HttpRequest(url=worker.url)
    task = Task(name=f"{QUEUE}/tasks/one", http_request=request, schedule_time=timestamp(time.time()))
    with requests.Session() as session:
        return deliver(session, TokenMint(), task, history)
