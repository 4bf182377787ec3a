"""What the service refuses, in Google's words where callers of the real service saw them.

Refused
├── InvalidArgument
├── QueueNotFound, QueueExists
└── NotFound, TaskEnded, TaskExists, TaskExistedRecently
"""

from typing import ClassVar

from grpc import StatusCode


class Refused(Exception):
    """A call that ends with `code` and `message` instead of an answer."""

    code: ClassVar[StatusCode]
    message: str

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"


class InvalidArgument(Refused):
    """The request itself does not fit."""

    code = StatusCode.INVALID_ARGUMENT

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class QueueNotFound(Refused):
    """No queue of that name."""

    code = StatusCode.NOT_FOUND
    message = "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize."


class QueueExists(Refused):
    """A second queue of one name."""

    code = StatusCode.ALREADY_EXISTS
    message = "Queue already exists"


class NotFound(Refused):
    """A task that never was, or a queue to delete that is not there."""

    code = StatusCode.NOT_FOUND
    message = "Requested entity was not found."


class TaskEnded(Refused):
    """A task of which only the name is remembered."""

    code = StatusCode.NOT_FOUND
    message = (
        "The task no longer exists, though a task with this name existed recently. "
        "The task either successfully completed or was deleted."
    )


class TaskExists(Refused):
    """A second task of one name while the first waits or runs."""

    code = StatusCode.ALREADY_EXISTS
    message = "Requested entity already exists"


class TaskExistedRecently(Refused):
    """A task with the name of one that ended within the time that names stay taken."""

    code = StatusCode.ALREADY_EXISTS
    message = (
        "The task cannot be created because a task with this name existed too recently. For more information about "
        "task de-duplication see https://cloud.google.com/tasks/docs/reference/rest/v2/"
        "projects.locations.queues.tasks/create#body.request_body.FIELDS.task."
    )
