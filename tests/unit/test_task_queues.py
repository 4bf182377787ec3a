"""What Cloud Tasks is told of a task: its name, where it goes, when, and as whom. The wire is tested in tests/local."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import orjson
import pytest
from google.cloud.tasks_v2 import HttpMethod
from google.cloud.tasks_v2 import Task as CloudTask

from shared.clients.task_queues import TaskQueues, task_name
from shared.config import TaskQueueSettings
from shared.dto.tasks import Task, Worker

LOCATION = "projects/project/locations/europe-west1"
ACCOUNT = "tasks@project.iam.gserviceaccount.com"
JOB = {"job_id": "5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11"}
NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def cloud_task(task: Task, workers_url: str = "https://{worker}.example") -> CloudTask:
    """The task as Cloud Tasks gets it."""
    settings = TaskQueueSettings(tasks_location=LOCATION, tasks_service_account=ACCOUNT, workers_url=workers_url)
    return TaskQueues(settings)._cloud_task(task)


def test_a_name_is_one_that_cloud_tasks_takes() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", task_name(Task(Worker.FAN_OUT, JOB)))


def test_the_same_task_has_the_same_name_whenever_it_is_to_come() -> None:
    first = Task(Worker.FAN_OUT, {"a": "1", "b": "2"})
    again = Task(Worker.FAN_OUT, {"b": "2", "a": "1"}, not_before=NOON)
    assert task_name(again) == task_name(first)


@pytest.mark.parametrize(
    "other",
    [
        Task(Worker.FINALIZE_BUILD, JOB),
        Task(Worker.FAN_OUT, {"job_id": str(uuid4())}),
        Task(Worker.FAN_OUT, {"build_id": JOB["job_id"]}),
        Task(Worker.FAN_OUT, JOB, nonce="2"),
        Task(Worker.FAN_OUT, {}),
    ],
)
def test_another_task_has_another_name(other: Task) -> None:
    assert task_name(other) != task_name(Task(Worker.FAN_OUT, JOB))


def test_names_do_not_follow_each_other() -> None:
    names = [task_name(Task(Worker.SYNTHESIZE, {"segment_id": f"{number:032x}"})) for number in range(100)]
    assert len({name[:4] for name in names}) > 90


@pytest.mark.parametrize("worker", Worker)
def test_a_task_goes_through_the_queue_of_its_worker(worker: Worker) -> None:
    task = Task(worker, JOB)
    assert cloud_task(task).name == f"{LOCATION}/queues/{worker}/tasks/{task_name(task)}"


@pytest.mark.parametrize(
    ("workers_url", "url", "audience"),
    [
        ("https://{worker}.example", "https://fan-out.example/api/tasks/fan-out", "https://fan-out.example"),
        ("http://127.0.0.1:8082", "http://127.0.0.1:8082/api/tasks/fan-out", "http://127.0.0.1:8082"),
    ],
)
def test_a_task_is_posted_to_its_worker_with_a_token_for_it(workers_url: str, url: str, audience: str) -> None:
    request = cloud_task(Task(Worker.FAN_OUT, JOB), workers_url).http_request
    assert request.http_method == HttpMethod.POST
    assert request.url == url
    assert request.oidc_token.service_account_email == ACCOUNT
    assert request.oidc_token.audience == audience


@pytest.mark.parametrize("body", [JOB, {}, {"text": "zażółć \u2028 🙂"}], ids=str)
def test_a_task_carries_its_body_as_json(body: dict[str, Any]) -> None:
    request = cloud_task(Task(Worker.FAN_OUT, body)).http_request
    assert orjson.loads(request.body) == body
    assert request.headers["Content-Type"] == "application/json"


def test_a_task_has_two_minutes() -> None:
    assert cloud_task(Task(Worker.FAN_OUT, JOB)).dispatch_deadline == timedelta(minutes=2)


def test_a_task_comes_at_once_unless_it_says_when() -> None:
    assert "schedule_time" not in cloud_task(Task(Worker.FAN_OUT, JOB))


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON + timedelta(microseconds=1),
        NOON + timedelta(microseconds=999_999),
        NOON.astimezone(timezone(timedelta(hours=2))),
    ],
    ids=str,
)
def test_a_task_does_not_come_before_its_time(moment: datetime) -> None:
    scheduled: Any = cloud_task(Task(Worker.FAN_OUT, JOB, not_before=moment)).schedule_time  # typed as protobuf's own
    assert timedelta(0) <= scheduled - moment <= timedelta(seconds=1)
