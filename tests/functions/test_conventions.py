"""What holds for every answer: the shape of errors, request ids, caching, compression, and which pages may read it."""

import re

import pytest
import requests

from tests.learner import Learner, invalid_fields, refused
from tests.system import System

ANOTHER_ORIGIN = "https://elsewhere.example"
EXPOSED = {"ETag", "Retry-After", "X-Request-Id", "Idempotency-Replayed"}
ALLOWED = {"authorization", "content-type", "idempotency-key", "if-none-match"}


def send(learner: Learner, data: bytes, content_type: str = "application/json") -> requests.Response:
    """The response to an import with this body."""
    headers = {"Authorization": f"Bearer {learner.token}", "Content-Type": content_type}
    return requests.post(f"{learner.app}/api/notebooks:import", data=data, headers=headers, timeout=10)


def preflight(learner: Learner, origin: str) -> requests.Response:
    """The response to what a browser asks before it imports."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ", ".join(sorted(ALLOWED)),
    }
    return requests.options(f"{learner.app}/api/notebooks:import", headers=headers, timeout=10)


def cors_headers(response: requests.Response) -> list[str]:
    return [name for name in response.headers if name.lower().startswith("access-control-")]


def listed(header: str) -> set[str]:
    return {part.strip() for part in header.split(",")}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/notebooks:export", 404, "not_found"),
        ("DELETE", "/notebooks", 405, "method_not_allowed"),
        ("GET", "/notebooks?limit=0", 400, "validation_error"),
    ],
)
def test_every_error_has_one_shape(learner: Learner, method: str, path: str, status: int, code: str) -> None:
    response = learner.call(method, path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_a_method_that_is_not_allowed_is_told_which_are(learner: Learner) -> None:
    assert {"GET"} <= listed(learner.call("DELETE", "/notebooks").headers["Allow"])


@pytest.mark.parametrize(
    "data", [b"{", b"nonsense", b'"text"', b"[]", b"null", b'{"name": "\\ud800", "lines": []}', b"\xff\xfe"]
)
def test_what_is_no_json_object_is_refused(learner: Learner, data: bytes) -> None:
    assert invalid_fields(send(learner, data)) == ["body"]


def test_a_body_of_another_type_is_refused(learner: Learner) -> None:
    assert invalid_fields(send(learner, b'{"name": "Mine", "lines": []}', "text/plain")) == ["header.Content-Type"]


@pytest.mark.parametrize(("size_bytes", "status"), [(256 * 1024, 201), (256 * 1024 + 1, 413)])
def test_a_body_has_at_most_256_kib(learner: Learner, size_bytes: int, status: int) -> None:
    body = b'{"name": "Mine", "lines": []'
    response = send(learner, body + b" " * (size_bytes - len(body) - 1) + b"}")
    assert response.status_code == status
    if status == 413:
        assert refused(response) == (413, "limit_exceeded")


def test_every_request_gets_an_id_of_its_own(learner: Learner) -> None:
    first, second = (learner.call("GET", "/users/me").headers["X-Request-Id"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


def test_a_request_keeps_the_id_that_it_brings(learner: Learner) -> None:
    response = learner.call("GET", "/users/me", headers={"X-Request-Id": "from-the-browser"})
    assert response.headers["X-Request-Id"] == "from-the-browser"


@pytest.mark.parametrize("brought", ["short", "x" * 65, "with a space", "with/slashes"])
def test_an_id_that_could_confuse_the_logs_is_replaced(learner: Learner, brought: str) -> None:
    response = learner.call("GET", "/users/me", headers={"X-Request-Id": brought})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-Id"])


def test_what_is_known_already_is_not_sent_again(learner: Learner) -> None:
    first = learner.call("GET", "/notebooks")
    etag = first.headers["ETag"]
    again = learner.call("GET", "/notebooks", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"] == "private, no-cache"


def test_what_has_changed_is_sent_again(learner: Learner) -> None:
    etag = learner.call("GET", "/notebooks").headers["ETag"]
    learner.import_notebook()
    changed = learner.call("GET", "/notebooks", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize(("lines", "encoding"), [(20, "gzip"), (1, None)])
def test_only_answers_over_1_kib_are_compressed(learner: Learner, lines: int, encoding: str | None) -> None:
    notebook_id = learner.import_notebook([f"Line {number}. ::: Wiersz {number}." for number in range(lines)])
    headers = {"Accept-Encoding": "gzip"}
    response = learner.call("GET", f"/notebooks/{notebook_id}/phrases", headers=headers)
    assert response.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in listed(response.headers["Vary"])
    assert len(response.json()["items"]) == lines


def test_an_answer_is_not_compressed_unasked(learner: Learner) -> None:
    notebook_id = learner.import_notebook([f"Line {number}. ::: Wiersz {number}." for number in range(20)])
    headers = {"Accept-Encoding": "identity"}
    response = learner.call("GET", f"/notebooks/{notebook_id}/phrases", headers=headers)
    assert "Content-Encoding" not in response.headers
    assert int(response.headers["Content-Length"]) > 1024


@pytest.mark.parametrize("path", ["/users/me", "/nothing", "/notebooks?limit=0", "/tts-credentials"])
def test_the_app_may_read_every_answer_and_nobody_else(learner: Learner, path: str) -> None:
    allowed = learner.call("GET", path, headers={"Origin": learner.app})
    other = learner.call("GET", path, headers={"Origin": ANOTHER_ORIGIN})
    unknown = learner.call("GET", path)
    assert allowed.headers["Access-Control-Allow-Origin"] == learner.app
    assert listed(allowed.headers["Access-Control-Expose-Headers"]) == EXPOSED
    assert cors_headers(other) == cors_headers(unknown) == []
    assert all("Origin" in listed(response.headers["Vary"]) for response in (allowed, other, unknown))


def test_the_app_may_ask_without_a_token_what_it_may_send(learner: Learner) -> None:
    response = preflight(learner, learner.app)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == learner.app
    assert "POST" in listed(response.headers["Access-Control-Allow-Methods"])
    assert listed(response.headers["Access-Control-Allow-Headers"]) == ALLOWED


@pytest.mark.parametrize("origin", [ANOTHER_ORIGIN, "null", "http://127.0.0.1", "http://127.0.0.1:1.evil.example"])
def test_another_origin_may_send_nothing(learner: Learner, origin: str) -> None:
    assert cors_headers(preflight(learner, origin)) == []


@pytest.mark.parametrize(("method", "bucket"), [("GET", "read"), ("POST", "write")])
def test_who_asks_too_often_is_told_when_to_come_again(
    system: System, learner: Learner, method: str, bucket: str
) -> None:
    system.database.execute(
        "insert into private.rate_limits (user_id, bucket, tokens, updated_at) values (%s, %s, -9, now())",
        [learner.id, bucket],
    )
    path = "/users/me" if method == "GET" else "/notebooks:import"
    response = learner.call(method, path, None if method == "GET" else {"name": "Mine", "lines": []})
    assert refused(response) == (429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 10
