"""The tree of errors: what each one answers, and that the drawing of it is right."""

import re

import pytest

from shared import errors
from shared.errors import AppError, InvalidKey, RateLimited, SpeechError, ValidationFailed

CONTRACT = {
    "validation_error": {400},
    "invalid_key": {400},
    "unauthorized": {401},
    "quota_exceeded": {402},
    "not_found": {404},
    "method_not_allowed": {405},
    "job_in_progress": {409},
    "conflict": {409},
    "unique_violation": {409},
    "request_in_progress": {409},
    "limit_exceeded": {413},
    "cannot_cancel": {422},
    "idempotency_mismatch": {422},
    "rate_limited": {429},
    "internal": {500, 503},
    "tts_timeout": {504},
    "try_again_later": {503},
}
DRAWN = re.compile(r"^ {4}([│ ]*)(?:[├└]── )?(\w+)(?: +(\d{3})(?: (\w+))?|  +.*|$)", re.MULTILINE)


def tree(error: type[AppError] = AppError) -> list[type[AppError]]:
    """An error and all that are derived from it."""
    return [error, *(below for derived in error.__subclasses__() for below in tree(derived))]


def made(error: type[AppError]) -> AppError:
    return InvalidKey(reason="API_KEY_INVALID", hint="check it") if error is InvalidKey else error()


ALL = pytest.mark.parametrize("error", tree(), ids=lambda error: error.__name__)


@ALL
def test_an_error_has_a_code_of_the_contract_and_its_status(error: type[AppError]) -> None:
    assert error.status in CONTRACT[error.code]


def test_every_code_of_the_contract_has_an_error() -> None:
    assert {error.code for error in tree()} == CONTRACT.keys()


@ALL
def test_an_error_is_drawn_in_the_tree_with_its_status(error: type[AppError]) -> None:
    drawn = {name: (status, code) for _, name, status, code in DRAWN.findall(errors.__doc__ or "")}
    status, code = drawn[error.__name__]
    assert status in ("", str(error.status))
    assert code in ("", error.code)


def test_the_tree_draws_no_error_that_is_not_there() -> None:
    drawn = [name for _, name, *_ in DRAWN.findall(errors.__doc__ or "")]
    assert sorted(drawn) == sorted(error.__name__ for error in tree())


@ALL
def test_an_error_says_in_a_sentence_or_two_what_happened(error: type[AppError]) -> None:
    message = made(error).message
    assert re.fullmatch(r"[A-Z][^\n]+[^\n ]", message)
    assert str(made(error)) == message


@ALL
def test_an_error_has_no_details_and_no_time_to_wait_unless_told(error: type[AppError]) -> None:
    if error is not InvalidKey:
        assert made(error).details == {}
    assert made(error).retry_after_seconds is None


def test_a_message_of_its_own_replaces_the_default() -> None:
    assert RateLimited("Slow down.").message == "Slow down."


def test_what_else_an_error_is_told_are_its_details() -> None:
    error = RateLimited(retry_after_seconds=2.5, bucket="write")
    assert error.retry_after_seconds == 2.5
    assert error.details == {"bucket": "write"}


def test_a_field_that_does_not_fit_is_named() -> None:
    error = ValidationFailed.of("body.name", "Too long.")
    assert error.message == "Too long."
    assert error.details == {"fields": [{"path": "body.name", "message": "Too long."}]}


def test_a_refused_key_says_why_and_what_to_do() -> None:
    error = InvalidKey(reason="SERVICE_DISABLED", hint="enable the Text-to-Speech API.")
    assert error.details == {"reason": "SERVICE_DISABLED", "hint": "enable the Text-to-Speech API."}
    assert error.message == "Google refuses this API key: enable the Text-to-Speech API."


@pytest.mark.parametrize(
    ("error", "segment_code", "passing"),
    [
        (SpeechError, "internal", False),
        (errors.InvalidKey, "invalid_key", False),
        (errors.TextTooLong, "text_too_long", False),
        (errors.VoiceNotFound, "voice_not_found", False),
        (errors.QuotaExceeded, "quota", True),
        (errors.SpeechTimeout, "tts_timeout", True),
        (errors.SpeechUnavailable, "network", True),
    ],
)
def test_an_error_of_google_says_what_becomes_of_the_segment(
    error: type[SpeechError], segment_code: str, *, passing: bool
) -> None:
    assert (error.segment_code, error.passing) == (segment_code, passing)
