"""The learner's Google key: tested before it is stored, and never shown."""

import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import pytest
import requests

from tests.functions.simultaneous import at_once
from tests.learner import Learner, invalid_fields, refused
from tests.system import System

PATH = "/tts-credentials"
TEST = "/tts-credentials:test"
NOT_CONFIGURED = {"is_configured": False, "last_validated_at": None, "key_fingerprint": None}


@pytest.fixture
def key() -> str:
    """A key that works and that nobody has used."""
    return f"AIzaLocal{token_hex(12)}"


def try_key(learner: Learner, key: str) -> requests.Response:
    return learner.call("POST", TEST, {"google_api_key": key})


def put_key(learner: Learner, key: str) -> requests.Response:
    return learner.call("PUT", PATH, {"google_api_key": key})


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("POST", TEST), ("PUT", PATH), ("DELETE", PATH)])
def test_every_call_needs_a_token(anonymous: Learner, method: str, path: str) -> None:
    response = anonymous.call(method, path)
    assert refused(response) == (401, "unauthorized")
    assert response.headers["Cache-Control"] == "no-store"


def test_at_first_no_key_is_configured(learner: Learner) -> None:
    assert learner.get(PATH) == NOT_CONFIGURED


def test_a_key_that_works_is_said_to_work(learner: Learner, key: str) -> None:
    response = try_key(learner, key)
    assert learner.expect(200, response) == {"ok": True, "voice_sampled": "en-US-Standard-C"}


def test_a_test_stores_no_key(learner: Learner, key: str) -> None:
    try_key(learner, key)
    assert learner.get(PATH) == NOT_CONFIGURED


@pytest.mark.parametrize(
    ("key", "reason", "hint"),
    [
        ("AIzaDisabledKey", "SERVICE_DISABLED", "Enable the Cloud Text-to-Speech API"),
        ("AIzaNobodysKey", "API_KEY_INVALID", "Copy it again"),
        ("not a key, and ąę", "API_KEY_INVALID", "Copy it again"),
        ("new\nline", "API_KEY_INVALID", "Copy it again"),
    ],
)
def test_a_key_that_google_refuses_is_refused_with_what_to_do(
    learner: Learner, key: str, reason: str, hint: str
) -> None:
    response = try_key(learner, key)
    assert refused(response) == (400, "invalid_key")
    details = response.json()["error"]["details"]
    assert details.keys() == {"reason", "hint"}
    assert details["reason"] == reason
    assert details["hint"].startswith(hint)
    assert details["hint"] in response.json()["error"]["message"]


def test_a_key_whose_quota_is_used_up_is_refused_until_google_takes_it_again(learner: Learner) -> None:
    response = try_key(learner, "AIzaQuotaKey")
    assert refused(response) == (402, "quota_exceeded")
    assert int(response.headers["Retry-After"]) >= 1


def test_google_is_not_waited_for_longer_than_configured(learner: Learner) -> None:
    began = time.monotonic()
    assert refused(try_key(learner, "AIzaSlowKey")) == (504, "tts_timeout")
    assert time.monotonic() - began < 1.9


def test_a_service_that_fails_now_and_then_does_not_fail_the_test(learner: Learner) -> None:
    key = f"AIzaFlaky{token_hex(12)}"
    assert [try_key(learner, key).status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("key", ["AIzaDisabledKey", "AIzaNobodysKey", "AIzaQuotaKey", "AIzaSlowKey"])
def test_a_key_that_failed_its_test_is_not_stored(learner: Learner, key: str) -> None:
    assert try_key(learner, key).status_code >= 400
    assert invalid_fields(put_key(learner, key)) == ["body.google_api_key"]
    assert learner.get(PATH) == NOT_CONFIGURED


def test_a_tested_key_is_stored_and_only_its_fingerprint_shown(learner: Learner, key: str) -> None:
    try_key(learner, key)
    response = put_key(learner, key)
    state = learner.expect(200, response)
    assert state == learner.get(PATH)
    assert state.keys() == {"is_configured", "last_validated_at", "key_fingerprint"}
    assert state["is_configured"] is True
    assert datetime.now(UTC) - datetime.fromisoformat(state["last_validated_at"]) < timedelta(seconds=30)
    assert state["key_fingerprint"].startswith("SHA256:")
    assert len(state["key_fingerprint"]) == len("SHA256:") + 16


def test_the_fingerprint_is_that_of_the_key(system: System, learner: Learner, key: str) -> None:
    learner.store_key(key)
    assert learner.get(PATH)["key_fingerprint"] == system.key_ring().fingerprint(key)


def test_storing_a_key_twice_is_storing_it_once(learner: Learner, key: str) -> None:
    try_key(learner, key)
    assert put_key(learner, key).content == put_key(learner, key).content


def test_another_key_takes_the_place_of_the_first(learner: Learner, key: str) -> None:
    learner.store_key(key)
    first = learner.get(PATH)["key_fingerprint"]
    learner.store_key(f"{key}2")
    assert learner.get(PATH)["key_fingerprint"] != first


def test_a_key_that_was_not_tested_is_not_stored(learner: Learner, key: str) -> None:
    try_key(learner, f"{key}2")
    assert invalid_fields(put_key(learner, key)) == ["body.google_api_key"]
    assert learner.get(PATH) == NOT_CONFIGURED


def test_the_test_of_another_learner_does_not_count(learner: Learner, stranger: Learner, key: str) -> None:
    try_key(learner, key)
    assert invalid_fields(put_key(stranger, key)) == ["body.google_api_key"]


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (15, 400)])
def test_a_test_counts_for_15_minutes(system: System, learner: Learner, key: str, minutes: int, status: int) -> None:
    try_key(learner, key)
    system.database.execute(
        "update private.tts_key_tests set tested_at = tested_at - make_interval(mins => %s) where user_id = %s",
        [minutes, learner.id],
    )
    assert put_key(learner, key).status_code == status


def test_a_deleted_key_is_gone(learner: Learner, key: str) -> None:
    learner.store_key(key)
    response = learner.call("DELETE", PATH)
    assert (response.status_code, response.content) == (204, b"")
    assert learner.get(PATH) == NOT_CONFIGURED


def test_a_deleted_key_has_to_be_tested_again(learner: Learner, key: str) -> None:
    learner.store_key(key)
    learner.call("DELETE", PATH)
    assert invalid_fields(put_key(learner, key)) == ["body.google_api_key"]


def test_deleting_twice_is_deleting_once(learner: Learner) -> None:
    assert [learner.call("DELETE", PATH).status_code for _ in range(2)] == [204, 204]


def test_the_key_of_another_learner_is_not_touched(learner: Learner, stranger: Learner, key: str) -> None:
    learner.store_key(key)
    assert stranger.get(PATH) == NOT_CONFIGURED
    stranger.call("DELETE", PATH)
    assert learner.get(PATH)["is_configured"] is True


def test_no_answer_may_be_kept(learner: Learner, key: str) -> None:
    answers = [
        try_key(learner, key),
        put_key(learner, key),
        learner.call("GET", PATH),
        learner.call("DELETE", PATH),
        try_key(learner, "AIzaNobodysKey"),
    ]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert not any("ETag" in answer.headers for answer in answers)


def test_no_answer_and_no_log_line_and_no_row_holds_the_key(system: System, learner: Learner, key: str) -> None:
    refused_key = f"AIzaDisabled{token_hex(12)}"
    answers = [try_key(learner, key), put_key(learner, key), learner.call("GET", PATH), try_key(learner, refused_key)]
    stored = system.database.fetch(
        "select to_jsonb(stored)::text as row from public.tts_credentials stored where user_id = %s", [learner.id]
    )
    shown = [answer.text for answer in answers] + [system.logs(), stored[0]["row"]]
    assert not any(secret in text for secret in (key, key.encode().hex(), refused_key) for text in shown)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.google_api_key"),
        ({"google_api_key": ""}, "body.google_api_key"),
        ({"google_api_key": None}, "body.google_api_key"),
        ({"google_api_key": "x" * 201}, "body.google_api_key"),
        ({"google_api_key": 5}, "body.google_api_key"),
        ({"google_api_key": "AIzaLocal", "more": 1}, "body.more"),
    ],
    ids=str,
)
@pytest.mark.parametrize(("method", "path"), [("POST", TEST), ("PUT", PATH)])
def test_a_body_that_does_not_fit_is_refused(
    learner: Learner, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    response = learner.call(method, path, body)
    assert invalid_fields(response) == [field]
    assert "AIzaLocal" not in response.text


def test_five_tests_may_come_at_once_and_then_one_each_20_seconds(learner: Learner) -> None:
    responses = at_once([lambda: try_key(learner, "AIzaNobodysKey")] * 6)
    assert sorted(response.status_code for response in responses) == [400] * 5 + [429]
    late = next(response for response in responses if response.status_code == 429)
    assert refused(late) == (429, "rate_limited")
    assert 1 <= int(late.headers["Retry-After"]) <= 20


def test_the_tests_of_one_learner_do_not_slow_down_another(learner: Learner, stranger: Learner) -> None:
    assert [try_key(learner, "AIzaNobodysKey").status_code for _ in range(6)][-1] == 429
    assert try_key(stranger, "AIzaNobodysKey").status_code == 400
