"""What is answered: the one shape of errors, who is let in, ids, and what is logged of it all."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.unit.http.things_api import NOTEBOOK, SECRET, USER_ID, Learner, refused

Log = Callable[[], list[dict[str, Any]]]

PATHS = ["/api/public", NOTEBOOK, "/api/missing", "/api/crash", "/api/unknown", "/", "/api/wait/x"]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def test_an_answer_is_json(learner: Learner) -> None:
    response = learner.call("GET", "/api/public")
    assert response.content_type == "application/json"
    assert response.data == b'{"things":[]}'


def test_no_content_has_none(learner: Learner) -> None:
    response = learner.call("DELETE", NOTEBOOK)
    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/api/unknown", "/unknown", "/api/notebooks", "/api/%00", "/api/\u0142"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_unknown_path_is_not_found(learner: Learner, method: str, path: str) -> None:
    assert refused(learner.call(method, path)) == (404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PATCH", "TRACE", "PROPFIND", "SWORDFISH"])
def test_an_unknown_method_is_refused_and_the_known_ones_named(learner: Learner, method: str) -> None:
    response = learner.call(method, NOTEBOOK)
    assert refused(response) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


def test_what_is_not_there_is_not_found_without_details(learner: Learner) -> None:
    response = learner.call("GET", "/api/missing")
    assert refused(response) == (404, "not_found")
    assert response.json == {"error": {"code": "not_found", "message": "There is no such thing here.", "details": {}}}


def test_a_crash_is_internal_and_does_not_say_what_happened(learner: Learner) -> None:
    response = learner.call("GET", "/api/crash")
    assert refused(response) == (500, "internal")
    assert SECRET not in response.text
    assert "ZeroDivision" not in response.text


def test_a_crash_is_logged_as_an_error_with_its_traceback(learner: Learner, log: Log) -> None:
    learner.call("GET", "/api/crash")
    crash, request = log()
    assert (crash["severity"], crash["message"]) == ("ERROR", "crashed")
    assert "ZeroDivisionError: swordfish" in crash["exception"]
    assert request["status"] == 500


def test_a_failure_that_may_pass_is_logged_as_a_warning_with_its_cause(learner: Learner, log: Log) -> None:
    assert refused(learner.call("GET", "/api/storage")) == (503, "internal")
    failure, _ = log()
    assert failure["severity"] == "WARNING"
    assert "OSError: swordfish" in failure["exception"]


def test_a_refusal_is_logged_as_a_request_and_nothing_more(learner: Learner, log: Log) -> None:
    learner.call("GET", "/api/missing")
    assert [line["message"] for line in log()] == ["request"]


@pytest.mark.parametrize(
    ("seconds", "retry_after"),
    [("0", "1"), ("0.01", "1"), ("1", "1"), ("1.01", "2"), ("19.999", "20"), ("60", "60")],
)
def test_a_time_to_wait_is_rounded_up_to_whole_seconds(learner: Learner, seconds: str, retry_after: str) -> None:
    response = learner.call("GET", f"/api/wait/{seconds}")
    assert refused(response) == (429, "rate_limited")
    assert response.headers["Retry-After"] == retry_after


def test_other_errors_name_no_time_to_wait(learner: Learner) -> None:
    assert "Retry-After" not in learner.call("GET", "/api/missing").headers


def test_a_first_answer_names_its_location(learner: Learner) -> None:
    response = learner.call("POST", "/api/notebooks:import")
    assert response.status_code == 201
    assert response.headers["Location"] == "/api/notebooks/7"
    assert "Idempotency-Replayed" not in response.headers


def test_a_repeated_answer_is_the_first_byte_for_byte_and_says_so(learner: Learner) -> None:
    first = learner.call("POST", "/api/notebooks:import")
    again = learner.call("POST", "/api/notebooks:import", {"Idempotency-Key": str(USER_ID)})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Location"] == first.headers["Location"]


def is_refused(response: TestResponse) -> bool:
    """Whether this is the 401 of the contract."""
    return refused(response) == (401, "unauthorized") and response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNzd29yZA==", "\u00e9"])
def test_without_a_token_nothing_is_answered(learner: Learner, method: str, authorization: str) -> None:
    assert is_refused(learner.call(method, NOTEBOOK, {"Authorization": authorization}))


def test_a_request_without_a_token_is_not_read(learner: Learner) -> None:
    response = learner.call("PUT", NOTEBOOK, {"Authorization": ""}, data=b"broken", content_type="application/json")
    assert is_refused(response)


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense"])
def test_a_public_view_needs_no_token(learner: Learner, authorization: str) -> None:
    assert learner.call("GET", "/api/public", {"Authorization": authorization}).status_code == 200


def test_a_key_set_that_cannot_be_read_is_internal_and_not_the_learners_fault(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner.issuer, "status", 503)
    assert refused(learner.call("GET", NOTEBOOK)) == (500, "internal")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_every_answer_has_an_id_of_its_own(learner: Learner, method: str, path: str) -> None:
    ids = {learner.call(method, path).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert {len(request_id) for request_id in ids} == {32}


@pytest.mark.parametrize("path", PATHS)
def test_an_id_that_was_sent_comes_back(learner: Learner, path: str) -> None:
    response = learner.call("GET", path, {"X-Request-Id": "my-request.0001"})
    assert response.headers.getlist("X-Request-Id") == ["my-request.0001"]


@pytest.mark.parametrize(
    "sent", ["", "short", "x" * 65, "with space", "<script>alert(1)</script>", "\u00e9" * 10, "a,b;c=ddd"]
)
def test_an_id_that_is_no_id_is_replaced(learner: Learner, sent: str) -> None:
    assert learner.call("GET", "/api/public", {"X-Request-Id": sent}).headers["X-Request-Id"] != sent


def test_each_request_is_logged_once(learner: Learner, log: Log) -> None:
    learner.call("GET", f"{NOTEBOOK}?limit=7", {"X-Request-Id": "my-request.0001"})
    (line,) = log()
    assert line.pop("time")
    assert line.pop("ms") >= 0
    assert line == {
        "severity": "INFO",
        "message": "request",
        "request_id": "my-request.0001",
        "user_id": str(USER_ID),
        "method": "GET",
        "path": NOTEBOOK,
        "status": 200,
    }


def test_what_one_request_bound_is_not_in_the_lines_of_the_next(learner: Learner, log: Log) -> None:
    learner.call("GET", NOTEBOOK, {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"})
    learner.call("GET", "/api/public")
    first, second = log()
    assert first["logging.googleapis.com/trace"] == TRACE_ID
    assert not {"user_id", "logging.googleapis.com/trace"} & second.keys()


@pytest.mark.parametrize("sent", ["", "garbage", f"00-{TRACE_ID}", f"00-{TRACE_ID.upper()}-b7ad6b7169203331-01"])
def test_a_trace_that_is_none_is_left_out(learner: Learner, log: Log, sent: str) -> None:
    learner.call("GET", "/api/public", {"traceparent": sent})
    assert "logging.googleapis.com/trace" not in log()[0]


def test_the_token_does_not_reach_the_log(learner: Learner, log: Log) -> None:
    token = learner.token()
    learner.call("GET", f"/api/crash?token={token}", {"Authorization": f"Bearer {token}"})
    learner.call("GET", f"/api/{token}")
    assert token not in str(log())
