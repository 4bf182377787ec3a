"""Stands in for Cloud Scheduler: calls the sweep every few seconds, with the token that Cloud Tasks brings."""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.tasks_v2 import CloudTasksClient, HttpMethod, HttpRequest, OidcToken, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

SWEEP_EVERY_SECONDS = 10.0


class Scheduler:
    """Calls the sweep at once and then every few seconds, while its `with` block lasts."""

    def __init__(self, tasks: str, queue: str, workers: str, service_account: str) -> None:
        self._channel = grpc.insecure_channel(tasks.rpartition("://")[2])
        self._client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self._channel))
        self._queue = queue
        self._task = Task(
            http_request=HttpRequest(
                http_method=HttpMethod.POST,
                url=f"{workers}/api/tasks/sweep",
                oidc_token=OidcToken(service_account_email=service_account, audience=workers),
            )
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._channel.close()

    def _run(self) -> None:
        while True:
            with suppress(GoogleAPICallError):  # the next one comes in a few seconds
                self._client.create_task(parent=self._queue, task=self._task, timeout=5)
            if self._stopping.wait(SWEEP_EVERY_SECONDS):
                return
