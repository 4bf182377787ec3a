"""How the Cloud Tasks server waits, ends and takes its ports."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.cloud.tasks_v2 import HttpRequest, Queue, Task

from infra.local.cloud_tasks import CloudTasksServer
from infra.local.cloud_tasks.errors import InvalidArgument, QueueExists
from infra.local.cloud_tasks.times import timestamp
from tests.local.cloud_tasks import PARENT, QUEUE, Call, Clock, FakeWorker, serving, wait_for, working


@pytest.fixture
def worker() -> Iterator[FakeWorker]:
    with working() as worker:
        yield worker


class InterruptedClock(Clock):
    """Once lets something happen while the test's own thread reads the time of a queue that has tasks."""

    interruption: threading.Event | None = None

    def __call__(self) -> float:
        if threading.current_thread() is threading.main_thread() and self.interruption:
            self.interruption.set()
            self.interruption = None
            time.sleep(0.3)
        return time.time()


class TestIdle:
    def test_a_task_that_moves_work_to_a_queue_already_asked_is_not_missed(self, worker: FakeWorker) -> None:
        """Queues are asked in the order q, waiting, from: `from` hands its work to q while `waiting` is asked."""
        clock, hand_over, finish = InterruptedClock(), threading.Event(), threading.Event()
        with serving(worker, now=clock) as tasks:

            def answer(call: Call) -> tuple[int, dict[str, str]]:
                if call.path == "/from":
                    hand_over.wait(10)
                    tasks.create()
                else:
                    finish.wait(10)
                return 204, {}

            worker.answer = answer
            tomorrow = Task(http_request=HttpRequest(url=worker.url), schedule_time=timestamp(time.time() + 86400))
            begun = Task(http_request=HttpRequest(url=f"{worker.url}/from"))
            for queue, task in (("waiting", tomorrow), ("from", begun)):
                tasks.client.create_queue(parent=PARENT, queue=Queue(name=f"{PARENT}/queues/{queue}"))
                tasks.client.create_task(parent=f"{PARENT}/queues/{queue}", task=task)
            wait_for(lambda: bool(worker.calls))
            clock.interruption = hand_over
            assert not tasks.server.idle(0.5)
            finish.set()
            tasks.settle()
        assert [call.path for call in worker.calls] == ["/from", "/work"]

    def test_a_task_for_later_is_not_waited_for(self, worker: FakeWorker) -> None:
        with serving(worker) as tasks:
            tasks.create(schedule_time=timestamp(time.time() + 86400))
            assert tasks.server.idle(0)

    def test_waiting_ends_in_time(self, worker: FakeWorker) -> None:
        worker.answer = lambda _: (500, {})
        with serving(worker, {"retryConfig": {"minBackoff": "60s"}}) as tasks:
            tasks.create()
            assert not tasks.server.idle(0.1)


class TestEnd:
    def test_a_worker_that_hangs_holds_up_neither_the_end_nor_the_deletion_of_its_queue(
        self, worker: FakeWorker
    ) -> None:
        is_over = threading.Event()
        worker.answer = lambda _: (204 if is_over.wait(20) else 500, {})
        with serving(worker) as tasks:
            tasks.create()
            wait_for(lambda: bool(worker.calls))
            tasks.client.delete_queue(name=QUEUE, timeout=5)
            tasks.client.create_queue(parent=PARENT, queue=Queue(name=QUEUE))
            tasks.create()
            wait_for(lambda: len(worker.calls) == 2)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        is_over.set()

    def test_deliveries_under_way_are_waited_for(self, worker: FakeWorker) -> None:
        is_over = threading.Event()
        worker.answer = lambda _: (204 if is_over.wait(0.3) else 201, {})
        with serving(worker) as tasks:
            tasks.create()
            wait_for(lambda: bool(worker.calls))
        assert [entry.status for entry in tasks.server.log] == [201]

    def test_what_waits_is_not_delivered_after_the_end(self, worker: FakeWorker) -> None:
        with serving(worker) as tasks:
            tasks.create(schedule_time=timestamp(time.time() + 0.2))
        time.sleep(0.3)
        assert worker.calls == []

    def test_it_can_be_ended_twice(self) -> None:
        server = CloudTasksServer()
        server.close()
        server.close()


class TestStart:
    def test_a_port_is_not_shared(self) -> None:
        with CloudTasksServer() as server:
            port = int(server.address.rpartition(":")[2])
            with pytest.raises(RuntimeError, match="Failed to bind"):
                CloudTasksServer(port=port)
        CloudTasksServer(port=port).close()

    def test_neither_is_the_port_of_the_key_set(self) -> None:
        with CloudTasksServer() as server, pytest.raises(OSError, match="in use"):
            CloudTasksServer(certs_port=urlsplit(server.jwks_url).port or 0)

    def test_a_server_that_could_not_start_leaves_nothing_behind(self) -> None:
        with CloudTasksServer() as server:
            threads = threading.active_count()
            port = int(server.address.rpartition(":")[2])
            with pytest.raises(RuntimeError):
                CloudTasksServer([{"name": QUEUE}], port=port)
            wait_for(lambda: threading.active_count() <= threads)

    @pytest.mark.parametrize(
        "queue", [{"name": "q"}, {"name": QUEUE, "rateLimits": {"maxDispatchesPerSecond": -1}}], ids=["name", "rate"]
    )
    def test_a_queue_that_google_would_refuse_is_refused(self, queue: dict[str, Any]) -> None:
        with pytest.raises(InvalidArgument):
            CloudTasksServer([queue])

    def test_a_queue_given_twice_is_refused(self) -> None:
        with pytest.raises(QueueExists):
            CloudTasksServer([{"name": QUEUE}, {"name": QUEUE}])
