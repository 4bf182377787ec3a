"""The gRPC methods of google.cloud.tasks.v2.CloudTasks."""

import random
import re
import threading
from collections.abc import Callable
from typing import NoReturn

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2 import Queue, Task
from google.protobuf.empty_pb2 import Empty

from infra.local.cloud_tasks_v2.queue import Deliver, TaskQueue
from infra.local.cloud_tasks_v2.times import seconds, timestamp, unix_seconds

Context = grpc.ServicerContext

QUEUE_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/queues/[A-Za-z0-9-]{1,100}")
TASK_NAME = re.compile(QUEUE_NAME.pattern + r"/tasks/[A-Za-z0-9_-]{1,500}")
MAX_TASK_BYTES = 1024 * 1024
MAX_DELAY_SECONDS = 30 * 86400
DEADLINE_SECONDS = (15, 30 * 60)


class CloudTasksService:
    """Queues by name; each method is the RPC of its name and ends others than well with Google's status."""

    def __init__(self, deliver: Deliver, tombstone_seconds: float, now: Callable[[], float]) -> None:
        self._deliver, self._tombstone_seconds, self._now = deliver, tombstone_seconds, now
        self._queues: dict[str, TaskQueue] = {}
        self._lock = threading.Lock()

    def make_queue(self, settings: Queue) -> TaskQueue:
        """A new queue, which delivers at once."""
        queue = TaskQueue(settings, self._deliver, self._tombstone_seconds, self._now)
        self._queues[settings.name] = queue
        return queue

    def queues(self) -> list[TaskQueue]:
        """Every queue."""
        with self._lock:
            return list(self._queues.values())

    def CreateQueue(self, request: tasks_v2.CreateQueueRequest, context: Context) -> Queue:  # noqa: N802
        name = request.queue.name
        if not QUEUE_NAME.fullmatch(name) or not name.startswith(f"{request.parent}/queues/"):
            _refuse(
                context, grpc.StatusCode.INVALID_ARGUMENT, "Queue name must be formatted: " + _form("queues/<QUEUE_ID>")
            )
        with self._lock:
            if name in self._queues:
                _refuse(context, grpc.StatusCode.ALREADY_EXISTS, "Queue already exists")
            return self.make_queue(request.queue).settings

    def GetQueue(self, request: tasks_v2.GetQueueRequest, context: Context) -> Queue:  # noqa: N802
        return self._queue(request.name, context).settings

    def ListQueues(self, request: tasks_v2.ListQueuesRequest, _: Context) -> tasks_v2.ListQueuesResponse:  # noqa: N802
        of_parent = [queue.settings for queue in self.queues() if queue.settings.name.startswith(f"{request.parent}/")]
        return tasks_v2.ListQueuesResponse(queues=of_parent)

    def UpdateQueue(self, request: tasks_v2.UpdateQueueRequest, context: Context) -> Queue:  # noqa: N802
        queue = self._queue(request.queue.name, context)
        queue.update(request.queue)
        return queue.settings

    def DeleteQueue(self, request: tasks_v2.DeleteQueueRequest, context: Context) -> Empty:  # noqa: N802
        queue = self._queue(request.name, context)
        with self._lock:
            self._queues.pop(request.name, None)
        queue.close()
        return Empty()

    def PurgeQueue(self, request: tasks_v2.PurgeQueueRequest, context: Context) -> Queue:  # noqa: N802
        queue = self._queue(request.name, context)
        queue.purge()
        return queue.settings

    def PauseQueue(self, request: tasks_v2.PauseQueueRequest, context: Context) -> Queue:  # noqa: N802
        queue = self._queue(request.name, context)
        queue.pause()
        return queue.settings

    def ResumeQueue(self, request: tasks_v2.ResumeQueueRequest, context: Context) -> Queue:  # noqa: N802
        queue = self._queue(request.name, context)
        queue.resume()
        return queue.settings

    def CreateTask(self, request: tasks_v2.CreateTaskRequest, context: Context) -> Task:  # noqa: N802
        queue, task, now = self._queue(request.parent, context), request.task, self._now()
        fault = _fault(request.parent, task, now)
        if fault:
            _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, fault)
        task.name = task.name or f"{request.parent}/tasks/{random.randrange(10**18, 10**19)}"  # noqa: S311
        task.create_time = timestamp(now)
        if "schedule_time" not in task or unix_seconds(task.schedule_time) < now:
            task.schedule_time = timestamp(now)
        if not queue.add(task):
            _refuse(context, grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")
        return task

    def GetTask(self, request: tasks_v2.GetTaskRequest, context: Context) -> Task:  # noqa: N802
        return self._task(request.name, context)[1]

    def ListTasks(self, request: tasks_v2.ListTasksRequest, context: Context) -> tasks_v2.ListTasksResponse:  # noqa: N802
        return tasks_v2.ListTasksResponse(tasks=self._queue(request.parent, context).tasks())

    def DeleteTask(self, request: tasks_v2.DeleteTaskRequest, context: Context) -> Empty:  # noqa: N802
        queue, task = self._task(request.name, context)
        queue.delete(task.name)
        return Empty()

    def RunTask(self, request: tasks_v2.RunTaskRequest, context: Context) -> Task:  # noqa: N802
        queue, task = self._task(request.name, context)
        queue.run_now(task.name)
        return task

    def _queue(self, name: str, context: Context) -> TaskQueue:
        with self._lock:
            queue = self._queues.get(name)
        if queue is None:
            _refuse(
                context,
                grpc.StatusCode.NOT_FOUND,
                "Queue does not exist. If you just created the queue, wait at least a minute for the queue to "
                "initialize.",
            )
        return queue

    def _task(self, name: str, context: Context) -> tuple[TaskQueue, Task]:
        queue = self._queue(name.partition("/tasks/")[0], context)
        task = queue.find(name)
        if task is None:
            existed = "no longer exists, though a task with this name existed recently."
            _refuse(
                context,
                grpc.StatusCode.NOT_FOUND,
                f"The task {existed if queue.is_remembered(name) else 'does not exist.'}",
            )
        return queue, task


def _fault(parent: str, task: Task, now: float) -> str | None:
    deadline = seconds(task.dispatch_deadline) if "dispatch_deadline" in task else DEADLINE_SECONDS[0]
    if task.name and not (TASK_NAME.fullmatch(task.name) and task.name.startswith(f"{parent}/tasks/")):
        return "Task name must be formatted: " + _form("queues/<QUEUE_ID>/tasks/<TASK_ID>")
    if not task.http_request.url.startswith(("http://", "https://")):
        return "HttpRequest.url must start with 'http://' or 'https://'"
    if len(Task.serialize(task)) > MAX_TASK_BYTES:
        return "Task size too large"
    if not DEADLINE_SECONDS[0] <= deadline <= DEADLINE_SECONDS[1]:
        return "Task.dispatchDeadline must be between [15s, 30m]"
    if "schedule_time" in task and unix_seconds(task.schedule_time) > now + MAX_DELAY_SECONDS:
        return "The Task.schedule_time is too far in the future"
    return None


def _form(rest: str) -> str:
    return f'"projects/<PROJECT_ID>/locations/<LOCATION_ID>/{rest}"'


def _refuse(context: Context, status: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(status, message)
    raise AssertionError("abort raises")
