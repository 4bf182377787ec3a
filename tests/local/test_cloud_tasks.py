"""The Cloud Tasks server, judged by the official client and by a worker that keeps what it was sent."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import jwt
import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound
from google.cloud.tasks_v2 import CloudTasksClient, HttpRequest, OidcToken, Queue, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf.duration_pb2 import Duration

from infra.local.cloud_tasks import CloudTasksServer
from infra.local.cloud_tasks.times import timestamp

PARENT = "projects/p/locations/l"
QUEUE = f"{PARENT}/queues/q"
FAST = {"minBackoff": "0.05s", "maxBackoff": "0.4s", "maxDoublings": 2, "maxAttempts": 5}


@dataclass
class Call:
    """A request as the worker got it."""

    at: float
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class FakeWorker:
    """Answers what a test wants and keeps what it was sent."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answer: Callable[[Call], tuple[int, dict[str, str]]] = lambda _: (204, {})
    busy: int = 0
    most_busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@pytest.fixture
def worker() -> Iterator[FakeWorker]:
    worker = FakeWorker()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = Call(time.monotonic(), self.path, body, dict(self.headers))
            with worker.lock:
                worker.calls.append(call)
                worker.busy += 1
                worker.most_busy = max(worker.most_busy, worker.busy)
            status, headers = worker.answer(call)
            with worker.lock:
                worker.busy -= 1
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        worker.url = f"http://127.0.0.1:{server.server_port}"
        yield worker
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    """The time as the queue sees it."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Tasks:
    """A server with one queue, and the official client of it."""

    server: CloudTasksServer
    client: CloudTasksClient
    worker: FakeWorker
    clock: Clock

    def create(self, body: bytes = b"{}", *, name: str | None = None, **task: Any) -> Task:
        """Create a task for the worker."""
        request = task.pop("http_request", None) or HttpRequest(url=f"{self.worker.url}/work", body=body)
        return self.client.create_task(
            parent=QUEUE, task=Task(name=f"{QUEUE}/tasks/{name}" if name else None, http_request=request, **task)
        )

    def settle(self) -> None:
        """Wait until all is delivered."""
        assert self.server.idle(10)


@pytest.fixture
def tasks(worker: FakeWorker) -> Iterator[Tasks]:
    with _serving(worker, {"retryConfig": FAST}) as tasks:
        yield tasks


class TestQueues:
    def test_a_queue_is_made_listed_got_and_deleted(self, tasks: Tasks) -> None:
        name = f"{PARENT}/queues/other"
        tasks.client.create_queue(parent=PARENT, queue=Queue(name=name))
        assert {queue.name for queue in tasks.client.list_queues(parent=PARENT)} == {QUEUE, name}
        assert tasks.client.get_queue(name=name).rate_limits.max_concurrent_dispatches == 1000
        tasks.client.delete_queue(name=name)
        with pytest.raises(NotFound, match="Queue does not exist"):
            tasks.client.get_queue(name=name)

    def test_a_second_queue_of_one_name_is_refused(self, tasks: Tasks) -> None:
        with pytest.raises(AlreadyExists):
            tasks.client.create_queue(parent=PARENT, queue=Queue(name=QUEUE))

    def test_a_paused_queue_delivers_when_it_is_resumed(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create()
        time.sleep(0.1)
        assert tasks.worker.calls == []
        tasks.client.resume_queue(name=QUEUE)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_a_purged_queue_has_no_tasks(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create()
        tasks.client.purge_queue(name=QUEUE)
        assert list(tasks.client.list_tasks(parent=QUEUE)) == []


class TestNames:
    def test_a_name_is_taken_while_its_task_waits(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create(name="one")
        with pytest.raises(AlreadyExists, match="Requested entity already exists"):
            tasks.create(name="one")

    def test_a_name_stays_taken_for_an_hour_after_its_task_ended(self, tasks: Tasks) -> None:
        tasks.create(name="one")
        tasks.settle()
        with pytest.raises(AlreadyExists):
            tasks.create(name="one")
        with pytest.raises(NotFound, match="existed recently"):
            tasks.client.get_task(name=f"{QUEUE}/tasks/one")
        tasks.clock.ahead = 3601
        tasks.create(name="one")
        tasks.settle()
        assert len(tasks.worker.calls) == 2

    def test_a_deleted_task_is_not_delivered_and_its_name_stays_taken(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        task = tasks.create(name="one")
        tasks.client.delete_task(name=task.name)
        tasks.client.resume_queue(name=QUEUE)
        with pytest.raises(AlreadyExists):
            tasks.create(name="one")
        tasks.settle()
        assert tasks.worker.calls == []

    def test_a_task_without_a_name_gets_one(self, tasks: Tasks) -> None:
        assert tasks.create().name.startswith(f"{QUEUE}/tasks/")


class TestRefusals:
    @pytest.mark.parametrize(
        ("task", "message"),
        [
            ({"name": "with space"}, "Task name must be formatted"),
            ({"http_request": HttpRequest(url="ftp://x")}, "must start with 'http://'"),
            ({"body": b"x" * 1024 * 1024}, "Task size too large"),
            ({"dispatch_deadline": Duration(seconds=14)}, r"between \[15s, 30m\]"),
            ({"dispatch_deadline": Duration(seconds=1801)}, r"between \[15s, 30m\]"),
            ({"schedule_time": timestamp(time.time() + 31 * 86400)}, "too far in the future"),
        ],
    )
    def test_what_google_refuses_is_refused(self, tasks: Tasks, task: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            tasks.create(**task)

    def test_a_task_for_no_queue_is_refused(self, tasks: Tasks) -> None:
        with pytest.raises(NotFound):
            tasks.client.create_task(
                parent=f"{PARENT}/queues/none", task=Task(http_request=HttpRequest(url="http://x"))
            )


class TestDelivery:
    def test_the_worker_gets_body_headers_and_the_headers_of_cloud_tasks(self, tasks: Tasks) -> None:
        headers = {"Content-Type": "application/json", "X-CloudTasks-QueueName": "forged", "User-Agent": "forged"}
        request = HttpRequest(url=f"{tasks.worker.url}/work?a=b", body=b'{"x": 1}', headers=headers)
        tasks.create(name="one", http_request=request)
        tasks.settle()
        call = tasks.worker.calls[0]
        assert (call.path, call.body) == ("/work?a=b", b'{"x": 1}')
        sent = {name: call.headers[name] for name in ("Content-Type", "User-Agent")}
        assert sent == {"Content-Type": "application/json", "User-Agent": "Google-Cloud-Tasks"}
        assert call.headers["X-CloudTasks-QueueName"] == "q"
        assert call.headers["X-CloudTasks-TaskName"] == "one"
        assert call.headers["X-CloudTasks-TaskRetryCount"] == "0"
        assert call.headers["X-CloudTasks-TaskExecutionCount"] == "0"
        assert float(call.headers["X-CloudTasks-TaskETA"]) == pytest.approx(time.time(), abs=5)

    def test_the_token_is_signed_for_the_service_account_and_audience(self, tasks: Tasks) -> None:
        token = OidcToken(service_account_email="tasks@p.iam", audience="https://worker")
        tasks.create(http_request=HttpRequest(url=tasks.worker.url, oidc_token=token))
        tasks.settle()
        scheme, _, sent = tasks.worker.calls[0].headers["Authorization"].partition(" ")
        key = jwt.PyJWKClient(tasks.server.jwks_url).get_signing_key_from_jwt(sent)
        claims = jwt.decode(
            sent, key, algorithms=["RS256"], audience="https://worker", issuer="https://accounts.google.com"
        )
        assert scheme == "Bearer"
        assert (claims["email"], claims["email_verified"]) == ("tasks@p.iam", True)
        assert claims["exp"] - claims["iat"] == 3600

    def test_without_an_audience_the_token_is_for_the_url(self, tasks: Tasks) -> None:
        tasks.create(
            http_request=HttpRequest(url=f"{tasks.worker.url}/a", oidc_token=OidcToken(service_account_email="a@b"))
        )
        tasks.settle()
        sent = tasks.worker.calls[0].headers["Authorization"].partition(" ")[2]
        assert jwt.decode(sent, options={"verify_signature": False})["aud"] == f"{tasks.worker.url}/a"

    def test_a_task_waits_for_its_time(self, tasks: Tasks) -> None:
        tasks.create(schedule_time=timestamp(time.time() + 0.4))
        tasks.settle()
        assert tasks.worker.calls == []
        time.sleep(0.5)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_run_task_does_not_wait(self, tasks: Tasks) -> None:
        task = tasks.create(schedule_time=timestamp(time.time() + 3600))
        tasks.client.run_task(name=task.name)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_what_was_sent_is_logged(self, tasks: Tasks) -> None:
        tasks.create(b"payload", name="one")
        tasks.settle()
        assert [(entry.name, entry.body, entry.status) for entry in tasks.server.log] == [
            (f"{QUEUE}/tasks/one", b"payload", 204)
        ]


class TestRetries:
    def test_a_failed_delivery_comes_again_with_growing_pauses_and_says_so(self, tasks: Tasks) -> None:
        tasks.worker.answer = lambda _: (500 if len(tasks.worker.calls) < 4 else 204, {})
        tasks.create()
        tasks.settle()
        calls = tasks.worker.calls
        assert [call.headers["X-CloudTasks-TaskRetryCount"] for call in calls] == ["0", "1", "2", "3"]
        assert [call.headers.get("X-CloudTasks-TaskPreviousResponse") for call in calls] == [None, "500", "500", "500"]
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


class TestLimits:
    def test_no_more_than_the_allowed_deliveries_at_once(self, worker: FakeWorker) -> None:
        def slowly(_: Call) -> tuple[int, dict[str, str]]:
            time.sleep(0.02)
            return 204, {}

        worker.answer = slowly
        with _serving(worker, {"rateLimits": {"maxConcurrentDispatches": 3}}) as tasks:
            for _ in range(12):
                tasks.create()
            tasks.settle()
        assert worker.most_busy == 3

    def test_no_more_than_the_allowed_deliveries_per_second(self, worker: FakeWorker) -> None:
        with _serving(worker, {"rateLimits": {"maxDispatchesPerSecond": 20, "maxBurstSize": 1}}) as tasks:
            for _ in range(8):
                tasks.create()
            tasks.settle()
        assert worker.calls[-1].at - worker.calls[0].at >= 7 / 20 * 0.9


@contextmanager
def _serving(worker: FakeWorker, settings: dict[str, Any], clock: Clock | None = None) -> Iterator[Tasks]:
    """A server with one queue of these settings, and a client of it."""
    clock = clock or Clock()
    with (
        CloudTasksServer([{"name": QUEUE, **settings}], now=clock) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield Tasks(server, CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel)), worker, clock)
