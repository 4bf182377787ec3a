"""A task as a request brings it, as it is kept, and as the API shows it."""

from google.cloud.tasks_v2 import Task

from infra.local.cloud_tasks.errors import InvalidArgument
from infra.local.cloud_tasks.names import check_task_name, new_task_name
from infra.local.cloud_tasks.retries import MAX_PAUSE_SECONDS
from infra.local.cloud_tasks.times import raw_seconds, timestamp, unix_seconds

MAX_TASK_BYTES = 1024 * 1024
MIN_DISPATCH_DEADLINE_SECONDS = 15.0
MAX_DISPATCH_DEADLINE_SECONDS = 1800.0
OUTPUT_ONLY = ("create_time", "dispatch_count", "response_count", "first_attempt", "last_attempt", "view")


def accepted(task: Task, queue_name: str, now: float, min_dispatch_deadline_seconds: float) -> Task:
    """A copy with a name and times. Raises `InvalidArgument`."""
    if task.name:
        check_task_name(task.name, queue_name)
    _check_request(task)
    _check_times(task, now, min_dispatch_deadline_seconds)
    kept = Task(task)
    for field in OUTPUT_ONLY:
        Task.pb(kept).ClearField(field)
    kept.name = task.name or new_task_name(queue_name)
    kept.create_time = timestamp(now)
    if "schedule_time" not in task or unix_seconds(task.schedule_time) < now:
        kept.schedule_time = timestamp(now)
    return kept


def shown(task: Task, view: int) -> Task:
    """A copy for an answer; with the body only in the full view."""
    copy = Task(task)
    copy.view = Task.View(view or Task.View.BASIC)
    if copy.view != Task.View.FULL:
        copy.http_request.body = b""
    return copy


def _check_request(task: Task) -> None:
    url = task.http_request.url
    if not url:
        raise InvalidArgument("HttpRequest.url is required.")
    if not url.startswith(("http://", "https://")):
        raise InvalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    if len(Task.serialize(task)) > MAX_TASK_BYTES:
        raise InvalidArgument("Task size too large")


def _check_times(task: Task, now: float, min_dispatch_deadline_seconds: float) -> None:
    message = Task.pb(task)
    deadline = raw_seconds(message.dispatch_deadline)
    if message.HasField("dispatch_deadline") and not (
        min_dispatch_deadline_seconds <= deadline <= MAX_DISPATCH_DEADLINE_SECONDS
    ):
        raise InvalidArgument("Task.dispatchDeadline must be between [15s, 30m].")
    try:
        scheduled = message.schedule_time.ToDatetime()
    except (ValueError, OverflowError) as error:
        raise InvalidArgument("The Task.scheduleTime is no valid timestamp.") from error
    if raw_seconds(message.schedule_time) > now + MAX_PAUSE_SECONDS:
        raise InvalidArgument(
            f"The Task.scheduleTime, {scheduled.isoformat()}Z, is too far in the future. "
            "Schedule time must be no more than 720h in the future."
        )
