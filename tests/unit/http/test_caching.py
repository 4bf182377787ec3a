"""ETags, 304 and gzip, which go together; and what is never to be stored."""

import gzip

import pytest
from werkzeug.test import TestResponse

from tests.unit.http.things_api import NOTEBOOK, Learner

LARGE = "/api/bytes/5000"


def get(learner: Learner, path: str = NOTEBOOK, **headers: str) -> TestResponse:
    return learner.call("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})


def test_an_answer_is_private_and_checked_each_time(learner: Learner) -> None:
    response = get(learner)
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Authorization" in response.vary


@pytest.mark.parametrize("path", ["/api/unknown", "/api/missing", "/api/crash", "/api/public", "/api/wait/1"])
def test_no_answer_may_be_taken_from_a_cache_without_asking(learner: Learner, path: str) -> None:
    assert get(learner, path).headers["Cache-Control"] == "private, no-cache"


def test_the_same_answer_has_the_same_etag(learner: Learner) -> None:
    first, again = get(learner), get(learner)
    assert first.headers["ETag"].startswith('W/"')
    assert again.headers["ETag"] == first.headers["ETag"]


def test_another_answer_has_another_etag(learner: Learner) -> None:
    assert get(learner, f"{NOTEBOOK}?limit=1").headers["ETag"] != get(learner, f"{NOTEBOOK}?limit=2").headers["ETag"]


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
@pytest.mark.parametrize("path", [NOTEBOOK, LARGE])
def test_what_the_client_has_already_is_not_sent_again(learner: Learner, path: str, accepted: str) -> None:
    etag = get(learner, path, Accept_Encoding=accepted).headers["ETag"]
    response = get(learner, path, Accept_Encoding=accepted, If_None_Match=etag)
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["X-Request-Id"]
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(("had", "accepted"), [("gzip", "identity"), ("identity", "gzip")])
def test_an_etag_is_the_same_compressed_or_not(learner: Learner, had: str, accepted: str) -> None:
    etag = get(learner, LARGE, Accept_Encoding=had).headers["ETag"]
    assert get(learner, LARGE, Accept_Encoding=accepted, If_None_Match=etag).status_code == 304


@pytest.mark.parametrize("match", ['W/"another"', "garbage", ""])
def test_what_has_changed_is_sent(learner: Learner, match: str) -> None:
    assert get(learner, If_None_Match=match).status_code == 200


def test_one_of_many_etags_will_do(learner: Learner) -> None:
    etag = get(learner).headers["ETag"]
    assert get(learner, If_None_Match=f'"x", {etag}').status_code == 304


def test_a_head_has_the_headers_of_a_get(learner: Learner) -> None:
    head, full = learner.call("HEAD", LARGE), get(learner, LARGE)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == full.headers["ETag"]
    assert head.headers["Content-Length"] == full.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/api/missing", "/api/crash", "/api/wait/1", "/api/unknown"])
def test_an_error_has_no_etag(learner: Learner, path: str) -> None:
    assert "ETag" not in get(learner, path).headers


def test_a_write_has_no_etag_and_does_not_ask_for_one(learner: Learner) -> None:
    response = learner.call("PUT", NOTEBOOK, {"If-None-Match": "*"}, json={"name": "ok"})
    assert response.status_code == 200
    assert "ETag" not in response.headers


@pytest.mark.parametrize("path", ["/api/secrets/public", "/api/secrets/missing", "/api/secrets/crash"])
def test_answers_about_secrets_are_never_stored(learner: Learner, path: str) -> None:
    response = get(learner, path, If_None_Match="*")
    assert response.status_code != 304
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


def test_a_refused_token_at_a_secret_is_not_stored_either(learner: Learner) -> None:
    response = get(learner, "/api/secrets/missing", Authorization="Bearer nonsense")
    assert response.status_code == 401
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("size", "is_compressed"), [(1023, False), (1024, True), (100_000, True)])
def test_answers_of_a_kib_or_more_are_compressed(learner: Learner, size: int, *, is_compressed: bool) -> None:
    response = get(learner, f"/api/bytes/{size}", Accept_Encoding="gzip, deflate, br, zstd")
    assert (response.headers.get("Content-Encoding") == "gzip") == is_compressed
    data = gzip.decompress(response.data) if is_compressed else response.data
    assert len(data) == size
    assert response.headers["Content-Length"] == str(len(response.data))
    assert "Accept-Encoding" in response.vary


@pytest.mark.parametrize("accepted", ["identity", "br", ""])
def test_who_does_not_ask_for_gzip_gets_none(learner: Learner, accepted: str) -> None:
    response = get(learner, LARGE, Accept_Encoding=accepted)
    assert "Content-Encoding" not in response.headers
    assert len(response.data) == 5000
