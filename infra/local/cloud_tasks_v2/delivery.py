"""One attempt to deliver a task over HTTP."""

import time
from dataclasses import dataclass

import requests
from google.cloud.tasks_v2 import HttpMethod, Task

from infra.local.cloud_tasks_v2.oidc import TokenMint
from infra.local.cloud_tasks_v2.times import seconds, unix_seconds

DEFAULT_DEADLINE_SECONDS = 600.0
RESERVED = ("host", "content-length", "user-agent", "x-google-", "x-appengine-", "x-cloudtasks-")
"""Headers that a task cannot set: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#httprequest."""


@dataclass(frozen=True)
class History:
    """What went before this attempt."""

    attempts: int = 0
    answers: int = 0
    last_status: int | None = None


@dataclass(frozen=True)
class Answer:
    """The status that came back, or 0 if none came in time; and when the worker asked to be called again."""

    status: int
    retry_after_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """Whether the task is done."""
        return 200 <= self.status < 300


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
    except requests.RequestException:
        return Answer(0)
    if time.monotonic() - began >= deadline:
        return Answer(0)
    return Answer(response.status_code, _retry_after(response))


def _headers(mint: TokenMint, task: Task, history: History) -> dict[str, str]:
    request = task.http_request
    headers = {name: value for name, value in request.headers.items() if not name.lower().startswith(RESERVED)}
    if request.body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
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
    if history.last_status:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(history.last_status)
    return headers


def _retry_after(response: requests.Response) -> float:
    if response.status_code not in (429, 503):
        return 0.0
    try:
        return max(0.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
