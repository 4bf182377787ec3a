"""The service on loopback ports: gRPC for clients, and HTTP for the key set."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

import grpc
import requests
from google.cloud.tasks_v2 import Queue, Task
from requests.adapters import HTTPAdapter

from infra.local.cloud_tasks.certs import CertsServer
from infra.local.cloud_tasks.delivery import Answer, History, deliver
from infra.local.cloud_tasks.oidc import TokenMint
from infra.local.cloud_tasks.queue import MAX_THREADS
from infra.local.cloud_tasks.rpc import rpc_handler
from infra.local.cloud_tasks.service import CloudTasksService
from infra.local.cloud_tasks.tasks import MIN_DISPATCH_DEADLINE_SECONDS

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TOMBSTONE_SECONDS = 3600.0
CLOSE_SECONDS = 1.0
LOGGED_DELIVERIES = 10_000
GRPC_THREADS = 32


@dataclass(frozen=True)
class Delivery:
    """One attempt, for whoever wants to look at what was sent."""

    name: str
    url: str
    body: bytes
    status: int


class CloudTasksServer:
    """Serves from the start; close it, or use it in a `with` block.

    `queues` are in the JSON form of the API. `now` is the clock of schedule times and of names that stay taken;
    `min_dispatch_deadline_seconds` is Google's, unless a test cannot wait that long. Raises `InvalidArgument` for a
    queue that Google would refuse, and `OSError` or `RuntimeError` if a port is taken.
    """

    def __init__(
        self,
        queues: Iterable[dict[str, Any]] = (),
        *,
        port: int = 0,
        certs_port: int = 0,
        tombstone_seconds: float = TOMBSTONE_SECONDS,
        min_dispatch_deadline_seconds: float = MIN_DISPATCH_DEADLINE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.log: deque[Delivery] = deque(maxlen=LOGGED_DELIVERIES)
        self._mint = TokenMint()
        self._session = _session()
        self._service = CloudTasksService(
            self._deliver,
            tombstone_seconds=tombstone_seconds,
            min_dispatch_deadline_seconds=min_dispatch_deadline_seconds,
            now=now,
        )
        with ExitStack() as opened:
            opened.callback(self._session.close)
            opened.callback(self._service.close, CLOSE_SECONDS)
            certs = CertsServer(HOST, certs_port, self._mint.jwks)
            opened.callback(certs.close)
            for queue in queues:
                self._service.make_queue(Queue.from_json(json.dumps(queue)))
            self._grpc = _grpc_server(self._service)
            opened.callback(lambda: self._grpc.stop(grace=None).wait())
            self.address = f"{HOST}:{self._grpc.add_insecure_port(f'{HOST}:{port}')}"
            self._grpc.start()
            self._opened = opened.pop_all()
        self.jwks_url = certs.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def idle(self, timeout_seconds: float) -> bool:
        """Wait until no task is due, being delivered or being retried; False if that took too long."""
        return self._service.wait_until_idle(timeout_seconds)

    def wait(self) -> None:
        """Return when the server ends."""
        self._grpc.wait_for_termination()

    def close(self) -> None:
        """Stop, if it has not stopped; the tasks are forgotten. A delivery to a worker that hangs is left behind."""
        self._opened.close()

    def _deliver(self, task: Task, history: History) -> Answer:
        answer = deliver(self._session, self._mint, task, history)
        request = task.http_request
        log.info("%s %s %s -> %s", task.name, request.url, request.body.decode(errors="replace"), answer.status)
        self.log.append(Delivery(task.name, request.url, request.body, answer.status))
        return answer


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=MAX_THREADS, pool_maxsize=MAX_THREADS))
    return session


def _grpc_server(service: CloudTasksService) -> grpc.Server:
    """Two servers that shared a port would each get some of the calls."""
    return grpc.server(
        ThreadPoolExecutor(GRPC_THREADS, thread_name_prefix="cloud-tasks"),
        handlers=[rpc_handler(service)],
        options=[("grpc.so_reuseport", 0)],
    )
