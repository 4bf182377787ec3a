"""Workers do what Cloud Tasks asks of them, and nothing for anybody else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.tasks_v2 import CloudTasksClient

from infra.local.stack import TASKS_SERVICE_ACCOUNT
from tests.functions.identity_tokens import TokenOffice, token_office
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused
from tests.system import System

CLOUD_TASKS_HEADERS = {
    "User-Agent": "Google-Cloud-Tasks",
    "X-CloudTasks-QueueName": "fan-out",
    "X-CloudTasks-TaskName": "1234567890",
    "X-CloudTasks-TaskRetryCount": "0",
    "X-CloudTasks-TaskExecutionCount": "0",
    "X-CloudTasks-TaskETA": "1790000000.000000",
    "X-AppEngine-QueueName": "fan-out",
}

BODIES: dict[str, list[str]] = {
    "fan-out": ["job_id"],
    "synthesize": ["segment_id"],
    "finalize-build": ["job_id"],
    "collect-garbage": ["build_id"],
    "sweep": [],
}

BEGIN: LiteralString = "update public.jobs set state = 'running', started_at = now() where id = %(job_id)s"
BE_LATE: LiteralString = "update public.jobs set created_at = now() - interval '2 days' where id = %(job_id)s"
LEAVE_GARBAGE: LiteralString = """
    insert into private.garbage (build_id, prefix, not_before)
    select build_id, regexp_replace(path, '[^/]+$', ''), now() from public.audio_segments where id = %(segment_id)s
"""
TO_DO: dict[str, LiteralString] = {
    "fan-out": "select",
    "synthesize": BEGIN,
    "finalize-build": BE_LATE,
    "collect-garbage": LEAVE_GARBAGE,
    "sweep": BE_LATE,
}
"""What has to happen to a job that is queued so that a worker has something to do for it."""


@dataclass(frozen=True)
class Work:
    """A call of a worker, and what that would change."""

    system: System
    worker: str
    ids: dict[str, str]

    def call(self, token: str | None) -> requests.Response:
        """The response of the worker, asked with everything that Cloud Tasks sends along."""
        body = {field: self.ids[field] for field in BODIES[self.worker]}
        return call(self.system.stack.addresses.workers, self.worker, token, body)

    def rows(self) -> list[dict[str, Any]]:
        """All that is known of the job, its segments and its garbage."""
        return self.system.database.fetch(
            """
            select to_jsonb(jobs) as job, to_jsonb(segments) as segment, to_jsonb(garbage) as garbage
            from public.jobs
            join public.audio_segments segments on segments.notebook_id = jobs.notebook_id
            left join private.garbage on garbage.build_id = segments.build_id
            where jobs.id = %(job_id)s
            order by segments.id
            """,
            self.ids,
        )


def call(origin: str, worker: str, token: str | None, body: Any) -> requests.Response:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    headers = {**CLOUD_TASKS_HEADERS, **authorization}
    return requests.post(f"{origin}/api/tasks/{worker}", json=body, headers=headers, timeout=10)


@pytest.fixture(scope="module")
def office(cloud_tasks: CloudTasksClient) -> Iterator[TokenOffice]:
    with token_office(cloud_tasks) as office:
        yield office


@pytest.fixture(scope="module")
def workers(system: System) -> str:
    """The origin of the workers, which is also the audience of their tokens."""
    return system.stack.addresses.workers


@pytest.fixture(scope="module")
def token(office: TokenOffice, workers: str) -> str:
    """A token that Cloud Tasks brings."""
    return office.token(TASKS_SERVICE_ACCOUNT, workers)


@pytest.fixture
def forged(office: TokenOffice, workers: str, token: str, learner: Learner) -> dict[str, str | None]:
    """Tokens that workers must not accept."""
    claims = jwt.decode(token, options={"verify_signature": False})
    key_id = {"kid": jwt.get_unverified_header(token)["kid"]}
    intruder = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "none": None,
        "nonsense": "nonsense",
        "a learner's": learner.token,
        "for another audience": office.token(TASKS_SERVICE_ACCOUNT, "https://elsewhere.example"),
        "for an audience that only begins alike": office.token(TASKS_SERVICE_ACCOUNT, f"{workers}/api/tasks/sweep"),
        "of another service account": office.token("intruder@audio-loop.iam.gserviceaccount.com", workers),
        "signed with another key": jwt.encode(claims, intruder, "RS256", key_id),
        "not signed": jwt.encode(claims, "", "none", key_id),
    }


@pytest.fixture(params=TO_DO)
def work(
    request: pytest.FixtureRequest,
    system: System,
    learner: Learner,
    jobs_stay_queued: None,  # noqa: ARG001  it holds the queue
) -> Work:
    """Each worker in turn, with something to do."""
    job_id = learner.generate(learner.prepare())["id"]
    segment = system.database.fetch(
        """
        select segments.id, segments.build_id
        from public.audio_segments segments
        join public.builds on builds.id = segments.build_id
        where builds.job_id = %s
        limit 1
        """,
        [job_id],
    )[0]
    ids = {"job_id": job_id, "build_id": str(segment["build_id"]), "segment_id": str(segment["id"])}
    system.database.execute(TO_DO[request.param], ids)
    return Work(system, request.param, ids)


def test_a_worker_does_its_work_for_cloud_tasks(work: Work, token: str) -> None:
    before = work.rows()
    response = work.call(token)
    assert (response.status_code, response.content) == (204, b"")
    assert work.rows() != before


def test_a_worker_refuses_everybody_else_and_does_nothing(work: Work, forged: dict[str, str | None]) -> None:
    before = work.rows()
    answers = {name: refused(work.call(token)) for name, token in forged.items()}
    assert answers == dict.fromkeys(forged, (401, "unauthorized"))
    assert work.rows() == before


def test_workers_cannot_be_reached_where_the_app_is(work: Work, token: str) -> None:
    before = work.rows()
    body = {field: work.ids[field] for field in BODIES[work.worker]}
    assert refused(call(work.system.app, work.worker, token, body)) == (404, "not_found")
    assert work.rows() == before


@pytest.mark.parametrize("worker", BODIES)
def test_there_is_nothing_to_do_for_what_does_not_exist(workers: str, token: str, worker: str) -> None:
    assert call(workers, worker, token, dict.fromkeys(BODIES[worker], UNKNOWN_ID)).status_code == 204


@pytest.mark.parametrize("worker", [worker for worker, fields in BODIES.items() if fields])
@pytest.mark.parametrize("value", ["mine", None, 5], ids=str)
def test_an_id_that_is_no_uuid_is_refused(workers: str, token: str, worker: str, value: Any) -> None:
    response = call(workers, worker, token, dict.fromkeys(BODIES[worker], value))
    assert invalid_fields(response) == [f"body.{BODIES[worker][0]}"]


@pytest.mark.parametrize("worker", BODIES)
def test_an_unknown_field_is_refused(workers: str, token: str, worker: str) -> None:
    response = call(workers, worker, token, {**dict.fromkeys(BODIES[worker], UNKNOWN_ID), "more": 1})
    assert invalid_fields(response) == ["body.more"]


@pytest.mark.parametrize("path", ["nothing", "fan-out/more", "fan_out", ""])
def test_an_unknown_worker_is_not_found(workers: str, token: str, path: str) -> None:
    assert refused(call(workers, path, token, {})) == (404, "not_found")


def test_a_worker_takes_nothing_but_post(workers: str, token: str) -> None:
    response = requests.get(f"{workers}/api/tasks/sweep", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert refused(response) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_functions_of_the_app_cannot_be_reached_where_workers_are(workers: str, learner: Learner) -> None:
    learner.app = workers
    assert refused(learner.call("GET", "/users/me")) == (404, "not_found")
