"""Requests with texts that cannot be stored: 400 and the name of the field, wherever they stand, and never 500."""

import json
import unicodedata
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import create_environ

from shared.dto.schema import MAX_JSON_DEPTH
from shared.errors import ValidationFailed
from shared.http.requests import JsonRequest
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused
from tests.properties.texts import JSON

BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/notebooks", {"name": "Mine"}),
    ("PATCH", f"/notebooks/{UNKNOWN_ID}", {"name": "Mine"}),
    ("POST", "/notebooks:import", {"name": "Mine", "lines": []}),
    ("POST", f"/notebooks/{UNKNOWN_ID}/phrases", {"en_text": "Hi.", "pl_text": "Cześć.", "tokens": "Hi"}),
    ("PATCH", f"/phrases/{UNKNOWN_ID}", {"en_text": "Hi.", "pl_text": "Cześć.", "tokens": "Hi"}),
    ("POST", "/tts-credentials:test", {"google_api_key": "AIza"}),
    ("PUT", "/tts-credentials", {"google_api_key": "AIza"}),
    ("POST", "/voices:preview", {"voice_id": "en-US-Standard-C", "text": "Hi."}),
    ("PUT", "/user-voices/EN1", {"language": "en", "voice_id": "en-US-Standard-C"}),
]
FIELDS = [(method, path, body, name) for method, path, body in BODIES for name in body if name != "lines"]
PARAMETERS = [
    ("/notebooks?q=", "query.q"),
    ("/notebooks?sort=", "query.sort"),
    ("/notebooks?order=", "query.order"),
    ("/notebooks?limit=", "query.limit"),
    ("/notebooks?cursor=", "query.cursor"),
    (f"/notebooks/{UNKNOWN_ID}/import-logs?cursor=", "query.cursor"),
    (f"/notebooks/{UNKNOWN_ID}/phrases?cursor=", "query.cursor"),
    (f"/notebooks/{UNKNOWN_ID}/phrases?sort=", "query.sort"),
    (f"/notebooks/{UNKNOWN_ID}/jobs?state=", "query.state"),
    (f"/notebooks/{UNKNOWN_ID}/builds?cursor=", "query.cursor"),
    (f"/notebooks/{UNKNOWN_ID}/audio-segments?phrase_id=", "query.phrase_id"),
    (f"/notebooks/{UNKNOWN_ID}/audio-segments?voice_slot=", "query.voice_slot"),
    (f"/notebooks/{UNKNOWN_ID}/audio-segments?status=", "query.status"),
    (f"/notebooks/{UNKNOWN_ID}/playback-manifest?phrase_ids=", "query.phrase_ids.0"),
    (f"/notebooks/{UNKNOWN_ID}/playback-manifest?speed=", "query.speed"),
    (f"/notebooks/{UNKNOWN_ID}/playback-manifest?highlight=", "query.highlight"),
    ("/voices?language=", "query.language"),
    ("/notebooks/", "path.notebook_id"),
    ("/jobs/", "path.job_id"),
    ("/builds/", "path.build_id"),
    ("/audio-segments/", "path.audio_segment_id"),
]


class TestBodies:
    @given(st.binary(max_size=100) | JSON.map(orjson.dumps) | JSON.map(json.dumps).map(str.encode))
    def test_a_body_is_an_object_or_refused(self, data: bytes) -> None:
        assert isinstance(received(data), dict | None)

    @given(JSON, st.characters(categories=["Cs"]))
    def test_a_lone_surrogate_is_refused_wherever_it_stands(self, value: Any, surrogate: str) -> None:
        for body in ({"name": f"a{surrogate}"}, {surrogate: 1}, {"name": [value, {"key": surrogate}]}):
            assert received(json.dumps(body).encode()) is None

    @pytest.mark.parametrize("depth", [MAX_JSON_DEPTH + 1, 300, 1_000, 1_020, 40_000])
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    def test_tokens_that_are_nested_too_deep_are_refused(
        self, anybody: Learner, depth: int, opening: str, closing: str
    ) -> None:
        data = f'{{"en_text": "Hi.", "pl_text": "Cześć.", "tokens": {opening * depth}1{closing * depth}}}'
        assert invalid_fields(send(anybody, "POST", f"/notebooks/{UNKNOWN_ID}/phrases", data)) in (
            ["body"],
            ["body.tokens"],
        )


class TestWire:
    @pytest.mark.parametrize(("method", "path", "body", "name"), FIELDS)
    def test_a_nul_character_in_a_body_is_refused(
        self, anybody: Learner, method: str, path: str, body: dict[str, Any], name: str
    ) -> None:
        response = anybody.call(method, path, {**body, name: f"{body[name]}\x00"})
        assert invalid_fields(response) == [f"body.{name}"]

    @pytest.mark.parametrize(("method", "path", "body", "name"), FIELDS)
    def test_a_lone_surrogate_in_a_body_is_refused(
        self, anybody: Learner, method: str, path: str, body: dict[str, Any], name: str
    ) -> None:
        data = json.dumps({**body, name: f"{body[name]}\ud800"})
        assert invalid_fields(send(anybody, method, path, data)) == ["body"]

    @pytest.mark.parametrize(("path", "field"), PARAMETERS)
    @pytest.mark.parametrize("value", ["%00", "a%00b"])
    def test_a_nul_character_in_an_address_is_refused(
        self, anybody: Learner, path: str, field: str, value: str
    ) -> None:
        assert invalid_fields(anybody.call("GET", path + value)) == [field]

    @pytest.mark.parametrize(("path", "field"), PARAMETERS)
    @pytest.mark.parametrize("value", ["%ED%A0%80", "%FF"])
    def test_what_is_no_utf_8_in_an_address_is_no_crash(
        self, anybody: Learner, path: str, field: str, value: str
    ) -> None:
        response = anybody.call("GET", path + value)
        if field in ("query.q", "query.cursor"):  # texts, in which the bytes stay percent-encoded
            assert response.status_code in (200, 400, 404)
        else:
            assert invalid_fields(response) == [field]

    def test_a_name_is_taken_however_it_is_spelled(self, learner: Learner) -> None:
        learner.expect(201, learner.call("POST", "/notebooks", {"name": "Za\u0301z\u0307"}))
        again = learner.call("POST", "/notebooks", {"name": " ZÁŻ\u2003"})
        assert refused(again) == (409, "unique_violation")

    def test_a_name_is_found_however_it_is_spelled(self, learner: Learner) -> None:
        learner.expect(201, learner.call("POST", "/notebooks", {"name": "Gęś"}))
        for part in ("ĘŚ", unicodedata.normalize("NFD", "ĘŚ")):
            assert [notebook["name"] for notebook in learner.get(f"/notebooks?q={quote(part)}")["items"]] == ["Gęś"]


def received(data: bytes) -> Any:
    """The object that a body holds; None where it is refused."""
    request = JsonRequest(create_environ(method="POST", data=data, content_type="application/json"))
    try:
        return request.get_json()
    except ValidationFailed:
        return None


def send(learner: Learner, method: str, path: str, data: str) -> requests.Response:
    """The response to a body that is JSON already."""
    headers = {"Authorization": f"Bearer {learner.token}", "Content-Type": "application/json"}
    return requests.request(method, f"{learner.app}/api{path}", data=data.encode(), headers=headers, timeout=10)
