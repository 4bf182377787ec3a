"""CORS: the web app's origins may call, and no other learns that there is such a thing."""

import pytest
from werkzeug.test import TestResponse

from tests.unit.http.conftest import APP, OTHER_APP
from tests.unit.http.things_api import NOTEBOOK, Learner

PATHS = [NOTEBOOK, "/api/missing", "/api/crash", "/api/unknown", "/api/wait/1", "/api/public"]
STRANGERS = [
    "https://evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://appxexample",
    "null",
    "*",
]


def preflight(learner: Learner, origin: str, method: str = "PUT", headers: str = "authorization") -> TestResponse:
    """What a browser asks before it sends a request with such headers; it sends no token."""
    return learner.call(
        "OPTIONS",
        NOTEBOOK,
        {
            "Authorization": "",
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


def cors_headers(response: TestResponse) -> list[str]:
    return [name for name, _ in response.headers if name.startswith("Access-Control-")]


def listed(response: TestResponse, name: str) -> set[str]:
    return {part.strip().lower() for part in response.headers[name].split(",")}


@pytest.mark.parametrize("origin", [APP, OTHER_APP])
@pytest.mark.parametrize("path", PATHS)
def test_an_origin_of_the_app_may_read_every_answer(learner: Learner, path: str, origin: str) -> None:
    response = learner.call("GET", path, {"Origin": origin})
    assert response.headers.getlist("Access-Control-Allow-Origin") == [origin]
    exposed = {"etag", "retry-after", "x-request-id", "idempotency-replayed"}
    assert listed(response, "Access-Control-Expose-Headers") == exposed
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_an_origin_of_the_app_may_read_a_refused_token(learner: Learner) -> None:
    response = learner.call("GET", NOTEBOOK, {"Origin": APP, "Authorization": ""})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("path", [NOTEBOOK, "/api/unknown"])
def test_another_origin_gets_no_header(learner: Learner, path: str, origin: str) -> None:
    assert cors_headers(learner.call("GET", path, {"Origin": origin})) == []


def test_who_names_no_origin_gets_no_header(learner: Learner) -> None:
    assert cors_headers(learner.call("GET", NOTEBOOK)) == []


@pytest.mark.parametrize("headers", [{}, {"Origin": APP}, {"Origin": "https://evil.example"}], ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_no_cache_gives_one_origins_answer_to_another(learner: Learner, path: str, headers: dict[str, str]) -> None:
    assert "Origin" in learner.call("GET", path, headers).vary


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_is_answered_without_a_token(learner: Learner, method: str) -> None:
    response = preflight(learner, APP, method)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert method.lower() in listed(response, "Access-Control-Allow-Methods")
    assert response.headers["Access-Control-Max-Age"] == "600"


def test_a_preflight_allows_the_headers_of_the_app_and_no_others(learner: Learner) -> None:
    allowed = "authorization, content-type, idempotency-key, if-none-match"
    response = preflight(learner, APP, headers=f"{allowed}, x-evil, authorization-x")
    assert listed(response, "Access-Control-Allow-Headers") == {part.strip() for part in allowed.split(",")}


def test_a_preflight_for_another_method_is_not_allowed(learner: Learner) -> None:
    assert "Access-Control-Allow-Methods" not in preflight(learner, APP, "TRACE").headers


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_preflight_of_another_origin_gets_no_header(learner: Learner, origin: str) -> None:
    assert cors_headers(preflight(learner, origin)) == []
