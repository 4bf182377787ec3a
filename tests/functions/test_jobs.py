"""Jobs: list, watch and cancel."""

import time
from typing import Any

import pytest

from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System

JOB = f"/jobs/{UNKNOWN_ID}"
JOBS = f"/notebooks/{UNKNOWN_ID}/jobs"
FIELDS = {
    "id",
    "user_id",
    "notebook_id",
    "type",
    "state",
    "started_at",
    "ended_at",
    "timeout_sec",
    "error",
    "created_at",
    "progress",
}


def ids(page: Any) -> list[str]:
    return [job["id"] for job in page["items"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{JOBS}:generate-rebuild"), ("GET", JOBS), ("GET", JOB), ("POST", f"{JOB}:cancel")],
)
def test_jobs_need_a_token(anonymous: Learner, method: str, path: str) -> None:
    assert refused(anonymous.call(method, path)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/notebooks/mine/jobs:generate-rebuild", "path.notebook_id"),
        ("GET", "/notebooks/mine/jobs", "path.notebook_id"),
        ("GET", "/jobs/mine", "path.job_id"),
        ("POST", "/jobs/mine:cancel", "path.job_id"),
    ],
)
def test_an_id_that_is_no_uuid_is_refused(learner: Learner, method: str, path: str, field: str) -> None:
    assert invalid_fields(learner.call(method, path)) == [field]


@pytest.mark.usefixtures("jobs_stay_queued")
def test_a_stranger_cannot_tell_a_job_from_none(learner: Learner, stranger: Learner) -> None:
    job = learner.generate(learner.prepare())
    for method, path, missing in (
        ("GET", f"/jobs/{job['id']}", JOB),
        ("POST", f"/jobs/{job['id']}:cancel", f"{JOB}:cancel"),
        ("GET", f"/notebooks/{job['notebook_id']}/jobs", JOBS),
        ("POST", f"/notebooks/{job['notebook_id']}/jobs:generate-rebuild", f"{JOBS}:generate-rebuild"),
    ):
        response = stranger.call(method, path)
        assert refused(response) == (404, "not_found")
        assert seen(response) == seen(stranger.call(method, missing))
    assert learner.get(f"/jobs/{job['id']}") == job


@pytest.mark.usefixtures("jobs_stay_queued")
def test_a_queued_job_has_just_the_fields_of_the_contract(learner: Learner) -> None:
    notebook_id = learner.prepare(["One. ::: Raz.", "Two. ::: Dwa."])
    job_id = learner.generate(notebook_id)["id"]
    response = learner.call("GET", f"/jobs/{job_id}")
    job = learner.expect(200, response)
    assert job == {
        "id": job_id,
        "user_id": str(learner.id),
        "notebook_id": notebook_id,
        "type": "GENERATE_REBUILD",
        "state": "queued",
        "started_at": None,
        "ended_at": None,
        "timeout_sec": 1800,
        "error": None,
        "created_at": job["created_at"],
        "progress": {"total": 8, "complete": 0, "failed": 0, "missing": 8},
    }
    assert response.headers["Retry-After"] == "1"


@pytest.fixture
def running_job(system: System, learner: Learner, jobs_stay_running: None) -> str:  # noqa: ARG001  it holds the queue
    """The id of a job that has begun and does not get any further."""
    job_id: str = learner.generate(learner.prepare())["id"]
    for _ in range(200):
        if system.database.fetch("select from public.jobs where id = %s and state = 'running'", [job_id]):
            return job_id
        time.sleep(0.05)
    raise AssertionError("the job did not begin")


def test_a_running_job_says_how_far_it_has_come_and_when_to_ask_again(
    system: System, learner: Learner, running_job: str
) -> None:
    system.database.execute(
        """
        update public.audio_segments
        set status = 'failed', error_code = 'internal'
        where build_id = (select id from public.builds where job_id = %s) and voice_slot = 'PL'
        """,
        [running_job],
    )
    response = learner.call("GET", f"/jobs/{running_job}")
    job = learner.expect(200, response)
    assert job["state"] == "running"
    assert job["started_at"] >= job["created_at"]
    assert job["ended_at"] is None
    assert job["progress"] == {"total": 4, "complete": 0, "failed": 1, "missing": 3}
    assert response.headers["Retry-After"] == "1"


def test_a_job_that_succeeded_says_so_for_ever(system: System, learner: Learner) -> None:
    notebook_id = learner.prepare()
    job = system.wait(learner, learner.generate(notebook_id))
    assert job.keys() == FIELDS
    assert (job["state"], job["error"]) == ("succeeded", None)
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    assert job["progress"] == {"total": 4, "complete": 4, "failed": 0, "missing": 0}
    assert "Retry-After" not in learner.call("GET", f"/jobs/{job['id']}").headers
    assert learner.get(f"/notebooks/{notebook_id}")["last_generate_job_id"] == job["id"]


def test_a_job_that_failed_says_why_and_what_to_tell_the_learner(system: System, learner: Learner) -> None:
    learner.store_key()
    learner.choose_voices(EN1="en-US-Standard-Nobody", EN2="en-US-Standard-Noone", EN3="en-US-Standard-None")
    job = system.wait(learner, learner.generate(learner.import_notebook()))
    assert job["state"] == "failed"
    assert job["error"] == {
        "code": "voice_not_found",
        "message": "Nie udało się wygenerować audio. Spróbuj ponownie.",
    }
    assert job["progress"] == {"total": 4, "complete": 1, "failed": 3, "missing": 0}
    assert "Retry-After" not in learner.call("GET", f"/jobs/{job['id']}").headers


@pytest.mark.usefixtures("jobs_stay_queued")
def test_canceling_ends_a_queued_job(learner: Learner) -> None:
    job_id = learner.generate(learner.prepare())["id"]
    response = learner.call("POST", f"/jobs/{job_id}:cancel")
    assert learner.expect(202, response) == {"id": job_id, "state": "canceled"}
    job = learner.get(f"/jobs/{job_id}")
    assert (job["state"], job["error"], job["started_at"]) == ("canceled", None, None)
    assert job["ended_at"] is not None


def test_canceling_ends_a_running_job(learner: Learner, running_job: str) -> None:
    assert learner.call("POST", f"/jobs/{running_job}:cancel").status_code == 202
    job = learner.get(f"/jobs/{running_job}")
    assert job["state"] == "canceled"
    assert job["progress"] == {"total": 4, "complete": 0, "failed": 0, "missing": 4}


@pytest.mark.usefixtures("jobs_stay_queued")
def test_a_job_is_canceled_once(learner: Learner) -> None:
    job_id = learner.generate(learner.prepare())["id"]
    learner.call("POST", f"/jobs/{job_id}:cancel")
    ended = learner.get(f"/jobs/{job_id}")
    assert refused(learner.call("POST", f"/jobs/{job_id}:cancel")) == (422, "cannot_cancel")
    assert learner.get(f"/jobs/{job_id}") == ended


def test_a_job_that_has_ended_cannot_be_canceled(system: System, learner: Learner) -> None:
    notebook_id = learner.prepare()
    job = system.wait(learner, learner.generate(notebook_id))
    assert refused(learner.call("POST", f"/jobs/{job['id']}:cancel")) == (422, "cannot_cancel")
    assert learner.manifest(notebook_id)["build_id"] is not None


@pytest.mark.usefixtures("jobs_stay_queued")
def test_after_a_canceled_job_another_can_be_started(learner: Learner) -> None:
    notebook_id = learner.prepare()
    first = learner.generate(notebook_id)
    learner.call("POST", f"/jobs/{first['id']}:cancel")
    assert learner.generate(notebook_id)["id"] != first["id"]


def test_a_notebook_has_no_jobs_at_first(learner: Learner) -> None:
    assert learner.get(f"/notebooks/{learner.import_notebook()}/jobs") == {"items": [], "next_cursor": None}


@pytest.fixture
def generated(learner: Learner) -> tuple[str, list[str]]:
    """A notebook and its jobs, the newest first: three canceled ones and one that has not begun."""
    notebook_id = learner.prepare()
    job_ids: list[str] = []
    for number in range(4):
        job_ids.insert(0, learner.generate(notebook_id)["id"])
        if number < 3:
            learner.call("POST", f"/jobs/{job_ids[0]}:cancel")
    return notebook_id, job_ids


@pytest.mark.usefixtures("jobs_stay_queued")
def test_jobs_come_newest_first(learner: Learner, generated: tuple[str, list[str]]) -> None:
    notebook_id, job_ids = generated
    page = learner.get(f"/notebooks/{notebook_id}/jobs")
    assert (ids(page), page["next_cursor"]) == (job_ids, None)
    assert page["items"][0] == learner.get(f"/jobs/{job_ids[0]}")


@pytest.mark.usefixtures("jobs_stay_queued")
def test_pages_hold_each_job_once(learner: Learner, generated: tuple[str, list[str]]) -> None:
    notebook_id, job_ids = generated
    first = learner.get(f"/notebooks/{notebook_id}/jobs?limit=3")
    second = learner.get(f"/notebooks/{notebook_id}/jobs?limit=3&cursor={first['next_cursor']}")
    assert (ids(first), ids(second)) == (job_ids[:3], job_ids[3:])
    assert second["next_cursor"] is None


@pytest.mark.usefixtures("jobs_stay_queued")
def test_jobs_can_be_asked_for_by_state(learner: Learner, generated: tuple[str, list[str]]) -> None:
    notebook_id, job_ids = generated
    by_state = {
        state: ids(learner.get(f"/notebooks/{notebook_id}/jobs?state={state}"))
        for state in ("queued", "running", "succeeded", "failed", "canceled", "timeout")
    }
    assert {state: found for state, found in by_state.items() if found} == {
        "queued": job_ids[:1],
        "canceled": job_ids[1:],
    }


@pytest.mark.usefixtures("jobs_stay_queued")
def test_the_cursor_of_another_state_is_refused(learner: Learner, generated: tuple[str, list[str]]) -> None:
    path = f"/notebooks/{generated[0]}/jobs"
    cursor = learner.get(f"{path}?state=canceled&limit=1")["next_cursor"]
    assert ids(learner.get(f"{path}?state=canceled&limit=1&cursor={cursor}")) == generated[1][2:3]
    assert invalid_fields(learner.call("GET", f"{path}?cursor={cursor}")) == ["query.cursor"]


@pytest.mark.parametrize(("query", "field"), [("state=done", "query.state"), ("limit=0", "query.limit")])
def test_a_query_that_does_not_fit_is_refused(learner: Learner, query: str, field: str) -> None:
    assert invalid_fields(learner.call("GET", f"{JOBS}?{query}")) == [field]
