"""The gRPC methods of google.cloud.tasks.v2.CloudTasks."""

import threading
from collections.abc import Callable

from google.cloud import tasks_v2
from google.cloud.tasks_v2 import Queue, Task
from google.protobuf.empty_pb2 import Empty

from infra.local.cloud_tasks.errors import InvalidArgument, NotFound, QueueExists, QueueNotFound
from infra.local.cloud_tasks.names import check_queue_name, queue_of
from infra.local.cloud_tasks.queue import Deliver, TaskQueue
from infra.local.cloud_tasks.settings import complete, updated, without_output_only
from infra.local.cloud_tasks.tasks import accepted, shown


class CloudTasksService:
    """Queues by name; each method in capitals is the RPC of its name, or raises `Refused`.

    One lock guards all queues and tasks, so that what one moment shows of several queues is what was.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        tombstone_seconds: float,
        min_dispatch_deadline_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._deliver, self._now = deliver, now
        self._tombstone_seconds = tombstone_seconds
        self._min_dispatch_deadline_seconds = min_dispatch_deadline_seconds
        self._queues: dict[str, TaskQueue] = {}
        self._changed = threading.Condition()

    def make_queue(self, settings: Queue) -> Queue:
        """A new queue, which delivers at once; its settings, complete. Raises `InvalidArgument` or `QueueExists`."""
        settings = complete(settings)
        with self._changed:
            if settings.name in self._queues:
                raise QueueExists
            queue = TaskQueue(settings, self._deliver, self._changed, self._tombstone_seconds, self._now)
            self._queues[settings.name] = queue
        return settings

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """Whether, within the time, there came a moment at which no queue had anything to do."""
        with self._changed:
            return self._changed.wait_for(
                lambda: all(queue.is_idle() for queue in self._queues.values()), timeout_seconds
            )

    def close(self, timeout_seconds: float) -> None:
        """Deliver nothing more, and return when the deliveries under way have ended or the time is over."""
        with self._changed:
            queues = list(self._queues.values())
            for queue in queues:
                queue.close()
            self._changed.wait_for(lambda: not any(queue.running for queue in queues), timeout_seconds)

    def CreateQueue(self, request: tasks_v2.CreateQueueRequest) -> Queue:  # noqa: N802
        check_queue_name(request.queue.name)
        if not request.queue.name.startswith(f"{request.parent}/queues/"):
            raise InvalidArgument(f"{request.queue.name} must begin with {request.parent}.")
        return self.make_queue(without_output_only(request.queue))

    def GetQueue(self, request: tasks_v2.GetQueueRequest) -> Queue:  # noqa: N802
        with self._changed:
            return self._queue(request.name).settings

    def ListQueues(self, request: tasks_v2.ListQueuesRequest) -> tasks_v2.ListQueuesResponse:  # noqa: N802
        with self._changed:
            all_settings = [queue.settings for queue in self._queues.values()]
        return tasks_v2.ListQueuesResponse(
            queues=[settings for settings in all_settings if settings.name.startswith(f"{request.parent}/queues/")]
        )

    def UpdateQueue(self, request: tasks_v2.UpdateQueueRequest) -> Queue:  # noqa: N802
        """Also makes a queue that is missing."""
        with self._changed:
            queue = self._queues.get(request.queue.name)
            if queue is None:
                return self.make_queue(without_output_only(request.queue))
            queue.update(updated(queue.settings, request.queue, request.update_mask))
            return queue.settings

    def DeleteQueue(self, request: tasks_v2.DeleteQueueRequest) -> Empty:  # noqa: N802
        with self._changed:
            queue = self._queues.pop(request.name, None)
            if queue is None:
                raise NotFound
            queue.close()
        return Empty()

    def PurgeQueue(self, request: tasks_v2.PurgeQueueRequest) -> Queue:  # noqa: N802
        with self._changed:
            queue = self._queue(request.name)
            queue.purge()
            return queue.settings

    def PauseQueue(self, request: tasks_v2.PauseQueueRequest) -> Queue:  # noqa: N802
        return self._set_state(request.name, Queue.State.PAUSED)

    def ResumeQueue(self, request: tasks_v2.ResumeQueueRequest) -> Queue:  # noqa: N802
        return self._set_state(request.name, Queue.State.RUNNING)

    def CreateTask(self, request: tasks_v2.CreateTaskRequest) -> Task:  # noqa: N802
        with self._changed:
            queue = self._queue(request.parent)
            task = accepted(request.task, request.parent, self._now(), self._min_dispatch_deadline_seconds)
            queue.add(task)
            return shown(task, request.response_view)

    def GetTask(self, request: tasks_v2.GetTaskRequest) -> Task:  # noqa: N802
        with self._changed:
            return shown(self._queue(queue_of(request.name)).find(request.name), request.response_view)

    def ListTasks(self, request: tasks_v2.ListTasksRequest) -> tasks_v2.ListTasksResponse:  # noqa: N802
        with self._changed:
            return tasks_v2.ListTasksResponse(
                tasks=[shown(task, request.response_view) for task in self._queue(request.parent).tasks()]
            )

    def DeleteTask(self, request: tasks_v2.DeleteTaskRequest) -> Empty:  # noqa: N802
        with self._changed:
            queue = self._queue(queue_of(request.name))
            queue.delete(queue.find(request.name).name)
        return Empty()

    def RunTask(self, request: tasks_v2.RunTaskRequest) -> Task:  # noqa: N802
        with self._changed:
            queue = self._queue(queue_of(request.name))
            task = queue.find(request.name)
            queue.run_now(task.name)
            return shown(task, request.response_view)

    def _set_state(self, name: str, state: int) -> Queue:
        with self._changed:
            queue = self._queue(name)
            queue.set_state(state)
            return queue.settings

    def _queue(self, name: str) -> TaskQueue:
        if name not in self._queues:
            raise QueueNotFound
        return self._queues[name]
