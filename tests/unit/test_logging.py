"""Log lines: the shape that Cloud Logging reads, and that no key and no token is in them."""

import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
import structlog
from pydantic import SecretStr
from structlog.contextvars import bind_contextvars

from shared.logging import REDACTED, configure_logging, redacted

Lines = Callable[[], list[dict[str, Any]]]

TOKEN = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiI1ZjNjMWE1MiJ9.PfMiZ0zS-7KpQm_n9tqZQvVYwYjCw0m6mZr5nQ1cXzU"
API_KEY = "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"
SIGNATURE = "4d7f0a1c" * 8

SECRETS = {
    "a Google API key": (API_KEY, API_KEY),
    "a key in a URL": (f"GET https://tts.example/v1/voices?key={API_KEY}&alt=json failed", API_KEY),
    "a local key": ("AIzaLocalKey", "AIzaLocalKey"),
    "a token": (f"got {TOKEN}.", TOKEN),
    "a token cut short": (f"got {TOKEN[:50]}", TOKEN[36:50]),
    "an Authorization header": ("Authorization: Bearer opaque-token-123", "opaque-token-123"),
    "one in small letters": ("authorization: bearer opaque-token-123", "opaque-token-123"),
    "one in JSON": ('{"authorization":"Bearer opaque-token-123"}', "opaque-token-123"),
    "a signed URL": (f"https://s.example/b/o.mp3?X-Goog-Date=1&X-Goog-Signature={SIGNATURE}", SIGNATURE),
    "a key of Supabase": ("apikey: sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz", "N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"),
    "the password of a URL": ("postgresql://api_login:swordfish@db.example:6543/postgres", "swordfish"),
    "a password with an @": ("postgresql://api_login:sword@fish@db.example/postgres", "fish@"),
    "a password with a colon": ("postgresql://api_login:sword:fish@db.example/postgres", "fish"),
    "a password without a user": ("redis://:swordfish@cache.example", "swordfish"),
    "a password of a connection": ("host=db.example user=api_login password=swordfish", "swordfish"),
}
HARMLESS = [
    "Dzień dobry, 你好, 🙂",
    "https://project.supabase.co/auth/v1/.well-known/jwks.json?at=12:30",
    "write to ala@example.com",
    "see https://docs.example, or write to ala@example.com",
    "GET /api/notebooks:import 201",
    "en-US-Chirp3-HD-Kore",
    "5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11",
    "eyJ",
]


@pytest.fixture
def lines(logging_restored: None) -> Lines:  # noqa: ARG001  what is configured here is to be forgotten
    """What has been logged: a line per event, each a JSON object."""
    stream = io.StringIO()
    configure_logging(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def text(lines: Lines) -> Callable[[], str]:
    """All that has been logged, as one text."""
    return lambda: json.dumps(lines(), ensure_ascii=False)


def test_an_event_is_one_line_of_json(lines: Lines) -> None:
    structlog.get_logger().info("segment complete", voice_id="en-US-Standard-C", attempts=1)
    (line,) = lines()
    time = datetime.fromisoformat(line.pop("time"))
    assert datetime.now(UTC) - time < timedelta(seconds=10)
    assert line == {
        "severity": "INFO",
        "message": "segment complete",
        "voice_id": "en-US-Standard-C",
        "attempts": 1,
    }


@pytest.mark.parametrize("method", ["info", "warning", "error", "critical"])
def test_a_level_is_named_as_cloud_logging_does(lines: Lines, method: str) -> None:
    getattr(structlog.get_logger(), method)("event")
    getattr(logging.getLogger("library"), method)("record")
    assert [line["severity"] for line in lines()] == [method.upper()] * 2


def test_an_exception_is_an_error_with_its_traceback(lines: Lines) -> None:
    try:
        int("nonsense")
    except ValueError:
        structlog.get_logger().exception("crashed")
        logging.getLogger("library").exception("crashed")
    for line in lines():
        assert line["severity"] == "ERROR"
        assert line["exception"].startswith("Traceback (most recent call last):")
        assert "ValueError: invalid literal" in line["exception"]


def test_debugging_is_not_logged(lines: Lines) -> None:
    structlog.get_logger().debug("event")
    logging.getLogger("library").debug("record")
    assert lines() == []


def test_every_line_carries_what_the_request_bound(lines: Lines) -> None:
    bind_contextvars(request_id="r-1", trace_id="0af7651916cd43dd8448eb211c80319c")
    structlog.get_logger().info("event")
    logging.getLogger("library").info("record")
    for line in lines():
        assert line["request_id"] == "r-1"
        assert line["logging.googleapis.com/trace"] == "0af7651916cd43dd8448eb211c80319c"
        assert "trace_id" not in line


def test_the_arguments_and_extras_of_a_record_are_there(lines: Lines) -> None:
    logging.getLogger("library").info("took %d ms for %s", 7, "voices", extra={"attempt": 2})
    assert lines()[0]["message"] == "took 7 ms for voices"
    assert lines()[0]["attempt"] == 2


def test_a_field_may_be_called_level(lines: Lines) -> None:
    structlog.get_logger().info("event", level=3)
    assert lines()[0]["severity"] == "INFO"
    assert lines()[0]["level"] == 3


def test_configuring_twice_logs_each_event_once(lines: Lines) -> None:
    stream = io.StringIO()
    configure_logging(stream)
    structlog.get_logger().info("event")
    assert len(stream.getvalue().splitlines()) == 1
    assert lines() == []


@pytest.mark.parametrize(("told", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_taken_out_of_a_text(told: str, secret: str) -> None:
    assert secret not in redacted(told)
    assert REDACTED in redacted(told)


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert redacted(harmless) == harmless


def test_what_surrounds_a_secret_stays() -> None:
    told = redacted(f"GET https://tts.example/v1/voices?key={API_KEY}&alt=json failed")
    assert told == f"GET https://tts.example/v1/voices?key={REDACTED}&alt=json failed"


def test_two_secrets_in_one_text_are_both_taken_out() -> None:
    assert redacted(f"{API_KEY} and {TOKEN}") == f"{REDACTED} and {REDACTED}"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ([1, [API_KEY]], [1, [REDACTED]]),
        ((API_KEY,), [REDACTED]),
        ({API_KEY}, [REDACTED]),
        (frozenset({API_KEY}), [REDACTED]),
        ({"deep": {"deeper": [API_KEY]}}, {"deep": {"deeper": [REDACTED]}}),
        ({API_KEY: 1}, {REDACTED: 1}),
        ({("a", "b"): 1, 2: 3}, {"('a', 'b')": 1, "2": 3}),
        (API_KEY.encode(), f"b'{REDACTED}'"),
        (ValueError(API_KEY), REDACTED),
        (PurePosixPath("/keys") / API_KEY, f"/keys/{REDACTED}"),
        (SecretStr("swordfish"), "**********"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_value_is_cleaned_however_deep_its_secrets_lie(value: Any, kept: Any) -> None:
    assert redacted(value) == kept


@pytest.mark.parametrize(("told", "secret"), SECRETS.values(), ids=SECRETS)
def test_no_secret_reaches_the_log(text: Callable[[], str], told: str, secret: str) -> None:
    log = structlog.get_logger()
    log.info(told)
    log.info("event", field=told, nested={"list": [told, {told: 1}]}, object=ValueError(told))
    logging.getLogger("library").info("record: %s", told, extra={"more": told})
    logging.getLogger("library").info(told)
    assert secret not in text()
    assert text().count(REDACTED) >= 8


@pytest.mark.parametrize(("told", "secret"), SECRETS.values(), ids=SECRETS)
def test_no_secret_reaches_the_log_in_an_exception(lines: Lines, told: str, secret: str) -> None:
    try:
        try:
            raise KeyError(told)
        except KeyError as cause:
            raise RuntimeError(told) from cause
    except RuntimeError as error:
        structlog.get_logger().error("crashed", exc_info=error)
        structlog.get_logger().exception("crashed")
        logging.getLogger("library").exception("crashed")
    tracebacks = [line["exception"] for line in lines()]
    assert [traceback.count(REDACTED) for traceback in tracebacks] == [2, 2, 2]
    assert not any(secret in traceback for traceback in tracebacks)


def test_a_secret_that_was_bound_to_the_request_does_not_reach_the_log(text: Callable[[], str]) -> None:
    bind_contextvars(authorization=f"Bearer {TOKEN}")
    structlog.get_logger().info("event")
    assert TOKEN not in text()


def test_texts_of_all_kinds_make_a_readable_line(lines: Lines) -> None:
    structlog.get_logger().info("Zażółć \ud800 \x00 \n", emoji="🙂")
    assert lines()[0]["message"] == "Zażółć \ud800 \x00 \n"
    assert lines()[0]["emoji"] == "🙂"
