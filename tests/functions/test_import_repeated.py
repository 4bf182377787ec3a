"""POST /api/notebooks:import with an Idempotency-Key: however often it is sent, there is one notebook."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.functions.simultaneous import at_once
from tests.learner import Learner, error_code, invalid_fields, refused
from tests.system import System

BODY: dict[str, Any] = {"name": "Mine", "lines": ["Hello. ::: Cześć.", "no phrase"]}


@pytest.fixture
def key() -> str:
    """An Idempotency-Key that nobody has used."""
    return str(uuid4())


def import_(learner: Learner, key: str, body: dict[str, Any] = BODY) -> requests.Response:
    return learner.call("POST", "/notebooks:import", body, {"Idempotency-Key": key})


def test_a_repeat_gets_the_first_answer_byte_for_byte(learner: Learner, key: str) -> None:
    first, repeat = import_(learner, key), import_(learner, key)
    assert (first.status_code, repeat.status_code) == (201, 201)
    assert repeat.content == first.content
    assert repeat.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert len(learner.get("/notebooks")["items"]) == 1


def test_a_repeat_is_recognised_by_what_it_says_and_not_by_how(learner: Learner, key: str) -> None:
    first = import_(learner, key)
    repeat = import_(learner, key.upper(), {"normalize": True, "lines": BODY["lines"], "name": " Mine "})
    assert repeat.content == first.content


def test_a_repeat_costs_nothing_of_the_rate_limit(system: System, learner: Learner, key: str) -> None:
    first = import_(learner, key)
    system.database.execute(
        "update private.rate_limits set tokens = -1000 where user_id = %s and bucket = 'write'", [learner.id]
    )
    assert import_(learner, key).content == first.content


@pytest.mark.parametrize("change", [{"name": "Other"}, {"lines": []}, {"normalize": False}], ids=str)
def test_another_request_with_the_same_key_is_refused(learner: Learner, key: str, change: dict[str, Any]) -> None:
    import_(learner, key)
    assert refused(import_(learner, key, {**BODY, **change})) == (422, "idempotency_mismatch")
    assert len(learner.get("/notebooks")["items"]) == 1


def test_a_refusal_is_not_kept(learner: Learner, key: str) -> None:
    learner.import_notebook(name="Taken")
    assert refused(import_(learner, key, {**BODY, "name": "TAKEN"})) == (409, "unique_violation")
    assert import_(learner, key).status_code == 201


def test_keys_of_two_learners_have_nothing_to_do_with_each_other(learner: Learner, stranger: Learner, key: str) -> None:
    first, other = import_(learner, key), import_(stranger, key)
    assert other.status_code == 201
    assert "Idempotency-Replayed" not in other.headers
    assert other.json()["notebook"]["id"] != first.json()["notebook"]["id"]


def test_a_key_is_forgotten_after_its_24_hours(system: System, learner: Learner, key: str) -> None:
    import_(learner, key)
    assert system.database.fetch(
        "select expires_at - created_at = interval '24 hours' as ok from private.idempotency_keys where key = %s", [key]
    ) == [{"ok": True}]
    system.database.execute("update private.idempotency_keys set expires_at = now() where key = %s", [key])
    assert import_(learner, key, {**BODY, "name": "Another"}).status_code == 201


@pytest.mark.parametrize("key", ["nonsense", "", "1"])
def test_a_key_that_is_no_uuid_is_refused(learner: Learner, key: str) -> None:
    assert invalid_fields(import_(learner, key)) == ["header.idempotency_key"]


def test_20_repeats_at_once_make_one_notebook(learner: Learner, key: str) -> None:
    responses = at_once([lambda: import_(learner, key)] * 20)
    made = {response.content for response in responses if response.status_code == 201}
    put_off = {error_code(response) for response in responses if response.status_code != 201}
    assert len(made) == 1
    assert put_off <= {"request_in_progress"}
    assert len(learner.get("/notebooks")["items"]) == 1
