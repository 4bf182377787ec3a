"""What a failed call of Google Text-to-Speech means, decided by google.rpc.ErrorInfo.reason and status.

Reasons are those of google/api/error_reason.proto. Where Google gives none, which is so for everything that is wrong
with a text or a voice, its message decides.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from shared.errors import (
    AppError,
    InvalidKey,
    QuotaExceeded,
    SpeechTimeout,
    SpeechUnavailable,
    TextTooLong,
    VoiceNotFound,
)

log = structlog.get_logger()

CREDENTIALS_PAGE = "APIs & Services > Credentials in the Google Cloud console"
UNRESTRICT = f"Open the key under {CREDENTIALS_PAGE} and set its application restrictions to None."
OTHER_PROJECT = "Its Google Cloud project is suspended, closed or deleted: take a key of another project."

HINTS = {
    "API_KEY_INVALID": f"Copy it again from {CREDENTIALS_PAGE}; it is mistyped, expired or deleted.",
    "SERVICE_DISABLED": (
        "Enable the Cloud Text-to-Speech API under APIs & Services > Library in the Google Cloud console, in the "
        "project of the key, and try again after a few minutes."
    ),
    "API_KEY_SERVICE_BLOCKED": (
        f"Open the key under {CREDENTIALS_PAGE} and add the Cloud Text-to-Speech API to its API restrictions."
    ),
    "API_KEY_HTTP_REFERRER_BLOCKED": UNRESTRICT,
    "API_KEY_IP_ADDRESS_BLOCKED": UNRESTRICT,
    "API_KEY_ANDROID_APP_BLOCKED": UNRESTRICT,
    "API_KEY_IOS_APP_BLOCKED": UNRESTRICT,
    "BILLING_DISABLED": "Link a billing account to the project of the key under Billing in the Google Cloud console.",
    "CONSUMER_SUSPENDED": OTHER_PROJECT,
    "CONSUMER_INVALID": OTHER_PROJECT,
}
OTHER_HINT = f"Look at the key and its restrictions under {CREDENTIALS_PAGE}; it may not use Cloud Text-to-Speech."

QUOTA_REASONS = frozenset({"RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED"})
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")

KEY_MESSAGE = re.compile(r"\bAPI key\b", re.IGNORECASE)
LENGTH_MESSAGE = re.compile(r"longer than the limit|sentences that are too long|text is too long", re.IGNORECASE)
VOICE_MESSAGE = re.compile(r"\bvoice\b.* does not exist|no TTS voice matching", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of Google's API."""

    status: int
    message: str
    reason: str | None
    details: tuple[Mapping[str, Any], ...]


def call_failures() -> tuple[type[Exception], ...]:
    """Everything that a call of the REST client is known to raise."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.protobuf.json_format import ParseError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    # The last two: an error answer is read without asking whether it is an object, any answer whether it is UTF-8.
    return GoogleAPICallError, GoogleAuthError, RequestException, HTTPError, ParseError, AttributeError, UnicodeError


def speech_error(error: Exception) -> AppError:
    """What to raise for one of the `call_failures`."""
    from google.api_core.exceptions import GoogleAPICallError

    if isinstance(error, GoogleAPICallError):
        refusal = _refusal(error)
        return _refused(refusal) if refusal else SpeechUnavailable()
    return SpeechTimeout() if _is_timeout(error) else SpeechUnavailable()


def invalid_key(reason: str) -> InvalidKey:
    """The error for a key that Google refuses for this reason, with what the learner can do about it."""
    return InvalidKey(reason=reason, hint=HINTS.get(reason, OTHER_HINT))


def _is_timeout(error: Exception) -> bool:
    """requests wraps a timeout while the body is read into its ConnectionError."""
    from requests.exceptions import Timeout
    from urllib3.exceptions import TimeoutError as RawTimeout

    wrapped = error.args[0] if error.args else None
    return isinstance(error, (Timeout, RawTimeout)) or isinstance(wrapped, RawTimeout)


def _refusal(error: Any) -> Refusal | None:
    """What Google says, or None where a page of some proxy was the answer. `error` is a GoogleAPICallError."""
    try:
        body = error.response.json()["error"]
        message = str(body["message"])
    except (ValueError, KeyError, TypeError):
        return None
    return Refusal(int(error.code), message, error.reason, tuple(error.details))


def _refused(refusal: Refusal) -> AppError:
    reason, status = refusal.reason or "", refusal.status
    if reason in HINTS or reason.startswith("API_KEY_"):
        return invalid_key(reason)
    if status == 429 or reason in QUOTA_REASONS:
        return QuotaExceeded(retry_after_seconds=_retry_seconds(refusal))
    if status in (401, 403):
        return invalid_key(reason or "PERMISSION_DENIED")
    if status in (408, 504):
        return SpeechTimeout()
    if status >= 500:
        return SpeechUnavailable()
    return _unacceptable(refusal)


def _unacceptable(refusal: Refusal) -> AppError:
    """The error for a request that would be refused again. Unless key, text or voice is at fault, the fault is ours."""
    if LENGTH_MESSAGE.search(refusal.message):
        return TextTooLong()
    if VOICE_MESSAGE.search(refusal.message):
        return VoiceNotFound()
    if KEY_MESSAGE.search(refusal.message):
        return invalid_key("API_KEY_INVALID")
    log.error("speech request refused", status=refusal.status, reason=refusal.reason, answer=refusal.message)
    return AppError("Google Text-to-Speech does not take what it was sent.")


def _retry_seconds(refusal: Refusal) -> float | None:
    """How long RetryInfo says to wait, if there is one."""
    for detail in refusal.details:
        if detail.get("@type") == RETRY_INFO and (delay := DURATION.fullmatch(str(detail.get("retryDelay", "")))):
            return float(delay[1])
    return None
