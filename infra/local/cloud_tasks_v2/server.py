"""The service on loopback ports: gRPC for clients, and HTTP for the key set."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import grpc
import requests
from flask import Flask
from google.cloud import tasks_v2
from google.cloud.tasks_v2 import Queue, Task
from google.protobuf.empty_pb2 import Empty
from requests.adapters import HTTPAdapter
from waitress import wasyncore
from waitress.server import create_server

from infra.local.cloud_tasks_v2.delivery import Answer, History, deliver
from infra.local.cloud_tasks_v2.oidc import TokenMint
from infra.local.cloud_tasks_v2.queue import MAX_THREADS
from infra.local.cloud_tasks_v2.service import CloudTasksService

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SERVICE = "google.cloud.tasks.v2.CloudTasks"
TOMBSTONE_SECONDS = 3600.0
LOGGED_DELIVERIES = 10_000
GRPC_THREADS = 32

RPCS: dict[str, Any] = {
    "CreateQueue": Queue,
    "GetQueue": Queue,
    "ListQueues": tasks_v2.ListQueuesResponse,
    "UpdateQueue": Queue,
    "DeleteQueue": None,
    "PurgeQueue": Queue,
    "PauseQueue": Queue,
    "ResumeQueue": Queue,
    "CreateTask": Task,
    "GetTask": Task,
    "ListTasks": tasks_v2.ListTasksResponse,
    "DeleteTask": None,
    "RunTask": Task,
}
"""Each RPC and what it answers with, if with anything."""


@dataclass(frozen=True)
class Delivery:
    """One attempt, for whoever wants to look at what was sent."""

    name: str
    url: str
    body: bytes
    status: int


class CloudTasksServer:
    """Serves from the start; close it, or use it in a `with` block.

    `queues` are in the JSON form of the API. `now` is the clock of schedule times and of names that stay taken.
    """

    def __init__(
        self,
        queues: Iterable[dict[str, Any]] = (),
        *,
        port: int = 0,
        certs_port: int = 0,
        tombstone_seconds: float = TOMBSTONE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.log: deque[Delivery] = deque(maxlen=LOGGED_DELIVERIES)
        self._mint = TokenMint()
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=MAX_THREADS, pool_maxsize=MAX_THREADS))
        self._service = CloudTasksService(self._deliver, tombstone_seconds, now)
        for queue in queues:
            self._service.make_queue(Queue.from_json(json.dumps(queue)))
        self._grpc = grpc.server(ThreadPoolExecutor(GRPC_THREADS, thread_name_prefix="cloud-tasks"))
        self._grpc.add_generic_rpc_handlers([_handlers(self._service)])
        self.address = f"{HOST}:{self._grpc.add_insecure_port(f'{HOST}:{port}')}"
        self._sockets: dict[int, Any] = {}
        self._certs = create_server(self._certs_app(), map=self._sockets, host=HOST, port=certs_port, threads=2)
        self.jwks_url = f"http://{HOST}:{self._certs.effective_port}/certs"
        self._certs_thread = threading.Thread(target=self._serve_certs, name="certs", daemon=True)
        self._is_closed = False
        self._grpc.start()
        self._certs_thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def idle(self, timeout_seconds: float) -> bool:
        """Wait until no task is due, being delivered or being retried; False if that took too long."""
        deadline = time.monotonic() + timeout_seconds
        while any(not queue.wait_until_idle(0) for queue in self._service.queues()):
            if not all(queue.wait_until_idle(deadline) for queue in self._service.queues()):
                return False
        return True

    def wait(self) -> None:
        """Return when the server ends."""
        self._grpc.wait_for_termination()

    def close(self) -> None:
        """Stop; the tasks are forgotten."""
        self._is_closed = True
        self._grpc.stop(grace=None).wait()
        for queue in self._service.queues():
            queue.close()
        self._certs_thread.join()
        self._certs.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)
        self._session.close()

    def _deliver(self, task: Task, history: History) -> Answer:
        answer = deliver(self._session, self._mint, task, history)
        log.info(
            "%s %s %s -> %s",
            task.name,
            task.http_request.url,
            task.http_request.body.decode(errors="replace"),
            answer.status,
        )
        self.log.append(Delivery(task.name, task.http_request.url, task.http_request.body, answer.status))
        return answer

    def _certs_app(self) -> Flask:
        app = Flask(__name__)
        app.add_url_rule("/certs", "certs", self._mint.jwks)
        return app

    def _serve_certs(self) -> None:
        while not self._is_closed:
            wasyncore.loop(timeout=0.1, map=self._sockets, count=1)


def _handlers(service: CloudTasksService) -> "grpc.GenericRpcHandler[Any, Any]":
    methods = {}
    for name, answer in RPCS.items():
        methods[name] = grpc.unary_unary_rpc_method_handler(
            getattr(service, name),
            request_deserializer=getattr(tasks_v2, f"{name}Request").deserialize,
            response_serializer=answer.serialize if answer else Empty.SerializeToString,
        )
    handler: grpc.GenericRpcHandler[Any, Any] = grpc.method_handlers_generic_handler(SERVICE, methods)
    return handler
