"""POST /api/notebooks/{notebook_id}/jobs:generate-rebuild: what it needs, and one job however often it is sent."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.functions.simultaneous import at_once
from tests.learner import UNKNOWN_ID, VOICES, Learner, error_code, invalid_fields, refused
from tests.system import System

pytestmark = pytest.mark.usefixtures("jobs_stay_queued")


def generate(learner: Learner, notebook_id: str, body: Any = None, key: str | None = None) -> requests.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return learner.call("POST", f"/notebooks/{notebook_id}/jobs:generate-rebuild", body, headers)


def job_ids(learner: Learner, notebook_id: str) -> list[str]:
    return [job["id"] for job in learner.get(f"/notebooks/{notebook_id}/jobs")["items"]]


@pytest.fixture
def notebook_id(learner: Learner) -> str:
    """A notebook for which a job can be started."""
    return learner.prepare()


@pytest.fixture
def key() -> str:
    """An Idempotency-Key that nobody has used."""
    return str(uuid4())


def test_a_job_is_accepted_and_can_be_watched(learner: Learner, notebook_id: str) -> None:
    response = generate(learner, notebook_id)
    answer = learner.expect(202, response)
    assert answer == {"job": learner.get(f"/jobs/{answer['job']['id']}")}
    assert response.headers["Location"] == f"/api/jobs/{answer['job']['id']}"
    assert "Idempotency-Replayed" not in response.headers
    assert learner.get(f"/notebooks/{notebook_id}")["last_generate_job_id"] == answer["job"]["id"]


def test_without_a_key_a_job_is_refused_with_what_to_do(learner: Learner) -> None:
    learner.choose_voices()
    notebook_id = learner.import_notebook()
    response = generate(learner, notebook_id)
    assert refused(response) == (400, "validation_error")
    assert response.json()["error"]["message"] == "Save a Google Text-to-Speech key in the settings first."
    assert job_ids(learner, notebook_id) == []


@pytest.mark.parametrize("slots", [[], ["EN1"], ["EN1", "EN2", "EN3"], ["EN2", "EN3", "PL"]], ids=str)
def test_without_all_four_voices_a_job_is_refused_with_what_to_do(learner: Learner, slots: list[str]) -> None:
    learner.store_key()
    for slot in slots:
        body = {"language": VOICES[slot][:2], "voice_id": VOICES[slot]}
        learner.expect(200, learner.call("PUT", f"/user-voices/{slot}", body))
    response = generate(learner, learner.import_notebook())
    assert refused(response) == (400, "validation_error")
    assert response.json()["error"]["message"] == "Choose a voice for each of EN1, EN2, EN3 and PL first."


def test_without_phrases_a_job_is_refused_with_what_to_do(learner: Learner) -> None:
    response = generate(learner, learner.prepare([]))
    assert refused(response) == (400, "validation_error")
    assert response.json()["error"]["message"] == "This notebook has no phrases; add one first."


@pytest.mark.parametrize(
    ("body", "timeout_sec"),
    [
        (None, 1800),
        ({}, 1800),
        ({"timeout_sec": None}, None),
        ({"timeout_sec": 1}, 1),
        ({"timeout_sec": 86400}, 86400),
    ],
    ids=str,
)
def test_a_job_has_the_time_limit_that_is_asked_for(
    learner: Learner, notebook_id: str, body: Any, timeout_sec: int | None
) -> None:
    assert learner.expect(202, generate(learner, notebook_id, body))["job"]["timeout_sec"] == timeout_sec


@pytest.mark.parametrize("timeout_sec", [0, -1, 86401, 1.5, "5", True, [5]], ids=str)
def test_another_time_limit_is_refused(learner: Learner, timeout_sec: Any) -> None:
    response = generate(learner, UNKNOWN_ID, {"timeout_sec": timeout_sec})
    assert invalid_fields(response) == ["body.timeout_sec"]


def test_an_unknown_field_is_refused(learner: Learner) -> None:
    assert invalid_fields(generate(learner, UNKNOWN_ID, {"timeout": 5})) == ["body.timeout"]


def test_while_a_job_is_under_way_another_is_refused(learner: Learner, notebook_id: str) -> None:
    generate(learner, notebook_id)
    assert refused(generate(learner, notebook_id)) == (409, "job_in_progress")


def test_of_two_jobs_at_once_one_is_refused(learner: Learner, notebook_id: str) -> None:
    responses = at_once([lambda: generate(learner, notebook_id)] * 2)
    assert sorted(response.status_code for response in responses) == [202, 409]
    assert {error_code(response) for response in responses if response.status_code == 409} == {"job_in_progress"}
    assert len(job_ids(learner, notebook_id)) == 1


def test_two_notebooks_may_be_generated_at_once(learner: Learner, notebook_id: str) -> None:
    other_id = learner.import_notebook(name="Another")
    responses = at_once([lambda: generate(learner, notebook_id), lambda: generate(learner, other_id)])
    assert [response.status_code for response in responses] == [202, 202]


def test_a_repeat_gets_the_first_answer_byte_for_byte(learner: Learner, notebook_id: str, key: str) -> None:
    first, repeat = generate(learner, notebook_id, key=key), generate(learner, notebook_id, key=key)
    assert (first.status_code, repeat.status_code) == (202, 202)
    assert repeat.content == first.content
    assert repeat.headers["Location"] == first.headers["Location"]
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert len(job_ids(learner, notebook_id)) == 1


def test_a_repeat_gets_the_first_answer_though_the_job_has_ended(learner: Learner, notebook_id: str, key: str) -> None:
    first = generate(learner, notebook_id, key=key)
    learner.call("POST", f"/jobs/{first.json()['job']['id']}:cancel")
    assert generate(learner, notebook_id, key=key).content == first.content


def test_20_repeats_at_once_start_one_job_and_spend_one_token(learner: Learner, notebook_id: str, key: str) -> None:
    responses = at_once([lambda: generate(learner, notebook_id, key=key)] * 20)
    assert len({response.content for response in responses if response.status_code == 202}) == 1
    put_off = {error_code(response) for response in responses if response.status_code != 202}
    assert put_off <= {"request_in_progress"}
    assert len(job_ids(learner, notebook_id)) == 1


@pytest.mark.parametrize("difference", ["time limit", "notebook"])
def test_another_request_with_the_same_key_is_refused(
    learner: Learner, notebook_id: str, key: str, difference: str
) -> None:
    generate(learner, notebook_id, key=key)
    other_id = learner.import_notebook(name="Another")
    if difference == "notebook":
        response = generate(learner, other_id, key=key)
    else:
        response = generate(learner, notebook_id, {"timeout_sec": 60}, key)
    assert refused(response) == (422, "idempotency_mismatch")
    assert len(job_ids(learner, notebook_id)) + len(job_ids(learner, other_id)) == 1


def test_a_refusal_is_not_kept(learner: Learner, key: str) -> None:
    learner.store_key()
    notebook_id = learner.import_notebook()
    assert generate(learner, notebook_id, key=key).status_code == 400
    learner.choose_voices()
    assert generate(learner, notebook_id, key=key).status_code == 202


def test_a_key_that_is_no_uuid_is_refused(learner: Learner) -> None:
    assert invalid_fields(generate(learner, UNKNOWN_ID, key="nonsense")) == ["header.idempotency_key"]


def test_five_jobs_may_be_started_at_once_and_then_one_each_20_seconds(learner: Learner, notebook_id: str) -> None:
    responses = [generate(learner, notebook_id) for _ in range(6)]
    assert [response.status_code for response in responses] == [202] + [409] * 4 + [429]
    assert error_code(responses[-1]) == "rate_limited"
    assert 1 <= int(responses[-1].headers["Retry-After"]) <= 20


def test_a_rate_limit_leaves_nothing_behind(system: System, learner: Learner, notebook_id: str) -> None:
    system.database.execute(
        """
        insert into private.rate_limits (user_id, bucket, tokens, updated_at)
        values (%s, 'generate', -10, now())
        """,
        [learner.id],
    )
    assert refused(generate(learner, notebook_id)) == (429, "rate_limited")
    assert job_ids(learner, notebook_id) == []
