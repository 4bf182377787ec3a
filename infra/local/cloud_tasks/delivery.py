"""One attempt to deliver a task over HTTP."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import requests
from google.cloud.tasks_v2 import HttpMethod, Task
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from infra.local.cloud_tasks.oidc import TokenMint
from infra.local.cloud_tasks.times import seconds, unix_seconds

DEFAULT_DEADLINE_SECONDS = 600.0
RESERVED = ("host", "content-length", "user-agent", "x-google-", "x-appengine-", "x-cloudtasks-")
"""Headers that a task cannot set: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#httprequest."""

CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    409: Code.ABORTED,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto"""


@dataclass(frozen=True)
class History:
    """What went before this attempt; `previous_status` is None for the first and after one without a connection."""

    attempts: int = 0
    answers: int = 0
    previous_status: int | None = None


@dataclass(frozen=True)
class Answer:
    """The status that came back, or 0 if none came in time; and when the worker asked to be called again."""

    status: int
    retry_after_seconds: float = 0.0
    is_late: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the task is done."""
        return 200 <= self.status < 300

    @property
    def reported_status(self) -> int | None:
        """The status that the next attempt tells of; Google's counts a missed deadline as 504."""
        return 504 if self.is_late else self.status or None

    @property
    def rpc_status(self) -> Status:
        """The status as the API shows it, for example `UNAVAILABLE(14): HTTP status code 503`."""
        status = self.reported_status or 0
        code = Code.OK if self.is_success else CODES.get(status, Code.UNKNOWN if status else Code.UNAVAILABLE)
        return Status(code=code, message=f"{Code.Name(code)}({code}): HTTP status code {status}")


def deliver(session: requests.Session, mint: TokenMint, task: Task, history: History) -> Answer:
    """Send the task's request; an answer that comes after the dispatch deadline counts as none."""
    request = task.http_request
    deadline = seconds(task.dispatch_deadline) or DEFAULT_DEADLINE_SECONDS
    began = time.monotonic()
    try:
        response = session.request(
            HttpMethod(request.http_method).name if request.http_method else "POST",
            request.url,
            data=request.body or None,
            headers=_headers(mint, task, history),
            timeout=deadline,
            allow_redirects=False,
        )
    except requests.Timeout:
        return Answer(0, is_late=True)
    except (requests.RequestException, ValueError):  # ValueError: a method, host or header that HTTP cannot say
        return Answer(0)
    if time.monotonic() - began >= deadline:
        return Answer(0, is_late=True)
    return Answer(response.status_code, _retry_after_seconds(response))


def _headers(mint: TokenMint, task: Task, history: History) -> dict[str, str]:
    request = task.http_request
    headers = {name: value for name, value in request.headers.items() if not name.lower().startswith(RESERVED)}
    token = request.oidc_token
    if token.service_account_email:
        headers["Authorization"] = f"Bearer {mint.token(token.service_account_email, token.audience or request.url)}"
    queue, _, name = task.name.partition("/tasks/")
    headers |= {
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": queue.rpartition("/")[2],
        "X-CloudTasks-TaskName": name,
        "X-CloudTasks-TaskRetryCount": str(history.attempts),
        "X-CloudTasks-TaskExecutionCount": str(history.answers),
        "X-CloudTasks-TaskETA": f"{unix_seconds(task.schedule_time):.6f}",
    }
    if history.previous_status:
        # Google sends the reason of HTTP tasks empty, whatever it was.
        headers |= {
            "X-CloudTasks-TaskPreviousResponse": str(history.previous_status),
            "X-CloudTasks-TaskRetryReason": "",
        }
    return headers


def _retry_after_seconds(response: requests.Response) -> float:
    """What Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 where it is neither."""
    value = response.headers.get("Retry-After", "").strip()
    if response.status_code not in (429, 503):
        return 0.0
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
