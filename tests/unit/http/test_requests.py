"""What may be sent: bodies, parameters, paths; and that a refusal names what does not fit without showing it."""

import io
import json

import pytest

from shared.http.requests import MAX_BODY_BYTES
from tests.unit.http.things_api import NOTEBOOK, NOTEBOOK_ID, SECRET, USER_ID, Learner, invalid_fields, refused

IMPORT = "/api/notebooks:import"


def test_a_view_gets_the_path_the_body_and_the_caller(learner: Learner) -> None:
    response = learner.put('{"name": "zażółć"}')
    assert response.status_code == 200
    assert response.json == {"things": ["zażółć", str(USER_ID)]}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_announced_in_other_words(learner: Learner, content_type: str) -> None:
    assert learner.put('{"name": "ok"}', content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
def test_a_body_of_another_type_is_refused(learner: Learner, content_type: str) -> None:
    assert invalid_fields(learner.put('{"name": "ok"}', content_type)) == ["header.Content-Type"]


BROKEN = {
    "no JSON": b"name=swordfish",
    "cut short": b'{"name": "swordfish"',
    "a comma too many": b'{"name": "swordfish",}',
    "two objects": b'{"name": "swordfish"}{}',
    "NaN": b'{"name": "swordfish", "count": NaN}',
    "a lone surrogate": b'{"name": "swordfish\\ud800"}',
    "another encoding": '{"name": "swordfishż"}'.encode("iso-8859-2"),
    "UTF-16": '{"name": "swordfish"}'.encode("utf-16"),
    "a byte order mark": '\ufeff{"name": "swordfish"}'.encode(),
    "a control character": b'{"name": "swordfish\n"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 40_000,
    "a list": b'["swordfish"]',
    "a text": b'"swordfish"',
    "null": b"null",
    "white space": b" ",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_no_json_object_is_refused(learner: Learner, body: bytes) -> None:
    response = learner.put(body)
    assert invalid_fields(response) == ["body"]
    assert SECRET not in response.text


def test_no_body_is_an_empty_object(learner: Learner) -> None:
    assert invalid_fields(learner.put(b"", "")) == ["body.name"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body.name"]),
        ({"name": "x"}, ["body.name"]),
        ({"name": None}, ["body.name"]),
        ({"name": [SECRET]}, ["body.name"]),
        ({"name": "ok", "count": SECRET}, ["body.count"]),
        ({"name": "ok", "count": "7"}, ["body.count"]),
        ({"name": "ok", "count": 1.5}, ["body.count"]),
        ({"name": "ok", "count": 10**400}, ["body"]),
        ({"name": "ok", "inner": {}}, ["body.inner"]),
        ({"name": "ok", "inner": [{"flag": True}, {"flag": SECRET}]}, ["body.inner.1.flag"]),
        ({"name": "ok", "inner": [{"flag": True, "more": SECRET}]}, ["body.inner.0.more"]),
        ({"name": "ok", "unknown": SECRET}, ["body.unknown"]),
        ({"count": SECRET, "unknown": SECRET}, ["body.name", "body.count", "body.unknown"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_field_that_does_not_fit_is_named_and_not_shown(
    learner: Learner, body: dict[str, object], fields: list[str]
) -> None:
    response = learner.put(json.dumps(body))
    assert invalid_fields(response) == fields
    assert SECRET not in response.text


def test_a_nul_character_in_a_text_does_no_harm(learner: Learner) -> None:
    assert learner.put('{"name": "a\\u0000b"}').json == {"things": ["a\x00b", str(USER_ID)]}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=swordfish", "limit=", "limit=1e99", "limit=%ED%A0%80"]
)
def test_a_query_that_does_not_fit_is_named_and_not_shown(learner: Learner, query: str) -> None:
    response = learner.call("GET", f"{NOTEBOOK}?{query}")
    assert invalid_fields(response) == ["query.limit"]
    assert SECRET not in response.text


def test_a_cursor_that_is_too_long_is_named(learner: Learner) -> None:
    assert invalid_fields(learner.call("GET", f"{NOTEBOOK}?cursor={'x' * 1001}")) == ["query.cursor"]


def test_a_parameter_that_nobody_asked_for_is_ignored(learner: Learner) -> None:
    assert learner.call("GET", f"{NOTEBOOK}?limit=1&utm_source=mail").status_code == 200


@pytest.mark.parametrize(
    "notebook_id", ["swordfish", "7", f"{NOTEBOOK_ID}0", "%00", "%ED%A0%80", "%F0%9F%99%82", "a b"]
)
def test_a_path_that_does_not_fit_is_named_and_not_shown(learner: Learner, notebook_id: str) -> None:
    response = learner.call("GET", f"/api/notebooks/{notebook_id}")
    assert invalid_fields(response) == ["path.notebook_id"]
    assert SECRET not in response.text


@pytest.mark.parametrize("key", ["swordfish", "", "7", "é"])
def test_a_header_that_does_not_fit_is_named_and_not_shown(learner: Learner, key: str) -> None:
    response = learner.call("POST", IMPORT, {"Idempotency-Key": key})
    assert invalid_fields(response) == ["header.idempotency_key"]
    assert SECRET not in response.text


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_colon_in_a_path_may_be_escaped(learner: Learner, colon: str) -> None:
    assert learner.call("POST", f"/api/notebooks{colon}import").status_code == 201
    response = learner.call("POST", f"{NOTEBOOK}{colon}cancel")
    assert response.status_code == 202
    assert response.json == {"things": [str(NOTEBOOK_ID)]}
    assert response.headers["Location"] == NOTEBOOK


@pytest.mark.parametrize(
    "path", [f"{NOTEBOOK}:", f"{NOTEBOOK}:remove", f"{NOTEBOOK}:cancel:cancel", f"{NOTEBOOK}/:cancel"]
)
def test_an_unknown_word_behind_the_colon_is_an_unknown_path(learner: Learner, path: str) -> None:
    assert refused(learner.call("POST", path)) == (404, "not_found")


def test_a_slash_at_the_end_makes_another_path(learner: Learner) -> None:
    assert refused(learner.call("GET", f"{NOTEBOOK}/")) == (404, "not_found")


def body_of(size: int) -> bytes:
    """A body of so many bytes."""
    return b'{"name": "' + b"x" * (size - 12) + b'"}'


def test_a_body_of_256_kib_fits(learner: Learner) -> None:
    assert learner.put(body_of(MAX_BODY_BYTES)).status_code == 200


def test_a_larger_body_is_refused(learner: Learner) -> None:
    assert refused(learner.put(body_of(MAX_BODY_BYTES + 1))) == (413, "limit_exceeded")


def test_a_larger_body_that_does_not_say_its_length_is_refused(learner: Learner) -> None:
    response = learner.call(
        "PUT",
        NOTEBOOK,
        input_stream=io.BytesIO(body_of(MAX_BODY_BYTES + 1)),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert refused(response) == (413, "limit_exceeded")
