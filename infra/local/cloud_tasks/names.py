"""The names of queues and tasks: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#task."""

import random
import re

from infra.local.cloud_tasks.errors import InvalidArgument

_QUEUE_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/queues/[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_FORM = "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"


def check_queue_name(name: str) -> None:
    """Raises `InvalidArgument`."""
    if not _QUEUE_NAME.fullmatch(name):
        raise InvalidArgument(f'Queue name must be formatted: "{_FORM}".')


def check_task_name(name: str, queue_name: str) -> None:
    """Raises `InvalidArgument` unless it is the name of a task in this queue."""
    named_queue, separator, task_id = name.partition("/tasks/")
    if not separator or not _QUEUE_NAME.fullmatch(named_queue):
        raise InvalidArgument(f'Task name must be formatted: "{_FORM}/tasks/<TASK_ID>"')
    if not _TASK_ID.fullmatch(task_id):
        raise InvalidArgument(
            f'Task ID "{task_id}" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores '
            "(_). Task ID must between 1 and 500 characters."
        )
    if named_queue != queue_name:
        raise InvalidArgument(
            f"The queue name from request ('{queue_name}') must be the same as the queue name in the named task "
            f"('{named_queue}')."
        )


def new_task_name(queue_name: str) -> str:
    """A name as Google gives to tasks without one."""
    return f"{queue_name}/tasks/{random.randrange(10**18, 10**19)}"  # noqa: S311


def queue_of(task_name: str) -> str:
    """The name of the queue in the name of a task."""
    return task_name.partition("/tasks/")[0]
