"""What the tests of the Cloud Tasks server have in common: a worker that keeps what it was sent, and a client."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.cloud.tasks_v2 import CloudTasksClient, CreateTaskRequest, HttpRequest, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from infra.local.cloud_tasks import CloudTasksServer

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

    def create(self, body: bytes = b"{}", *, name: str | None = None, view: int | None = None, **task: Any) -> Task:
        """Create a task for the worker."""
        request = task.pop("http_request", None) or HttpRequest(url=f"{self.worker.url}/work", body=body)
        named = Task(name=f"{QUEUE}/tasks/{name}" if name else None, http_request=request, **task)
        return self.client.create_task(CreateTaskRequest(parent=QUEUE, task=named, response_view=view))

    def settle(self) -> None:
        """Wait until all is delivered."""
        assert self.server.idle(10)


def wait_for(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def working() -> Iterator[FakeWorker]:
    """A worker that serves."""
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


@contextmanager
def serving(worker: FakeWorker, settings: dict[str, Any] | None = None, **server: Any) -> Iterator[Tasks]:
    """A server with one queue, fast in its retries where `settings` do not say otherwise, and a client of it."""
    queue = {"name": QUEUE, "retryConfig": FAST, **(settings or {})}
    with (
        CloudTasksServer([queue], **server) as running,
        grpc.insecure_channel(running.address) as channel,
    ):
        yield Tasks(running, CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel)), worker)
