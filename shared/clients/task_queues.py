"""Cloud Tasks: creates the tasks that wake the workers."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

import orjson

from shared.config import TaskQueueSettings
from shared.dto.tasks import Task
from shared.errors import TasksUnavailable

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient
    from google.cloud.tasks_v2 import Task as CloudTask

IN_FLIGHT = 32
CREATE_TIMEOUT_SECONDS = 10.0
DISPATCH_DEADLINE_SECONDS = 120


class TaskQueues:
    """One queue per worker, named like it."""

    def __init__(self, settings: TaskQueueSettings) -> None:
        self._settings = settings

    def send(self, tasks: Sequence[Task]) -> None:
        """Create the tasks, 32 at a time; one that exists already counts as created. Raises TasksUnavailable."""
        create = partial(self._create, self._client)
        if len(tasks) == 1:
            create(tasks[0])
            return
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="create-task") as pool:
            for _ in pool.map(create, tasks):
                pass

    def _create(self, client: "CloudTasksClient", task: Task) -> None:
        from google.api_core import exceptions
        from google.api_core.retry import Retry

        passing = (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.InternalServerError)
        again = Retry(lambda error: isinstance(error, passing), initial=0.1, maximum=2, timeout=CREATE_TIMEOUT_SECONDS)
        try:
            client.create_task(
                parent=self._queue(task), task=self._cloud_task(task), retry=again, timeout=CREATE_TIMEOUT_SECONDS
            )
        except exceptions.AlreadyExists:
            return
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise TasksUnavailable from error

    def _cloud_task(self, task: Task) -> "CloudTask":
        from google.cloud import tasks_v2
        from google.protobuf.duration_pb2 import Duration
        from google.protobuf.timestamp_pb2 import Timestamp

        workers_url = self._settings.workers_url.replace("{worker}", task.worker)
        cloud_task = tasks_v2.Task(
            name=f"{self._queue(task)}/tasks/{task_name(task)}",
            dispatch_deadline=Duration(seconds=DISPATCH_DEADLINE_SECONDS),
            http_request=tasks_v2.HttpRequest(
                http_method=tasks_v2.HttpMethod.POST,
                url=f"{workers_url}/api/tasks/{task.worker}",
                headers={"Content-Type": "application/json"},
                body=orjson.dumps(task.body),
                oidc_token=tasks_v2.OidcToken(
                    service_account_email=self._settings.tasks_service_account, audience=workers_url
                ),
            ),
        )
        if task.not_before:
            cloud_task.schedule_time = Timestamp(seconds=_whole_seconds(task.not_before))
        return cloud_task

    def _queue(self, task: Task) -> str:
        return f"{self._settings.tasks_location}/queues/{task.worker}"

    @cached_property
    def _client(self) -> "CloudTasksClient":
        from google.cloud.tasks_v2 import CloudTasksClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

        scheme, _, address = self._settings.tasks_endpoint.partition("://")
        if scheme == "https":
            return CloudTasksClient(client_options={"api_endpoint": address})
        import grpc

        return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(address)))


def task_name(task: Task) -> str:
    """A name by which Cloud Tasks knows the task again; hashed, since names in sequence are slower to create.

    https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#createtaskrequest
    """
    identity = orjson.dumps([task.worker, task.body, task.nonce], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(identity).hexdigest()[:40]


def _whole_seconds(moment: datetime) -> int:
    return int(moment.timestamp()) + 1
