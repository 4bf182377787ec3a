"""Every error that Audio Loop answers with, in one tree; `shared.http` turns it into a response, nothing else does.

    AppError                    500 internal
    ├── DatabaseFailed          500 internal
    ├── ValidationFailed        400 validation_error
    ├── Unauthorized            401 unauthorized
    ├── NotFound                404 not_found
    ├── MethodNotAllowed        405 method_not_allowed
    ├── JobInProgress           409 job_in_progress
    ├── VoiceConflict           409 conflict
    ├── UniqueViolation         409 unique_violation
    ├── RequestInProgress       409 request_in_progress
    ├── LimitExceeded           413 limit_exceeded
    ├── CannotCancel            422 cannot_cancel
    ├── IdempotencyMismatch     422 idempotency_mismatch
    ├── RateLimited             429 rate_limited
    ├── TryAgainLater           503 (workers only: Cloud Tasks comes again)
    ├── StorageFailed           503 internal
    ├── TasksUnavailable        503
    ├── AccountsUnavailable     500 internal
    └── SpeechError             what Google Text-to-Speech refused or failed to do
        ├── InvalidKey          400 invalid_key, fatal for a job
        ├── TextTooLong         400 validation_error
        ├── VoiceNotFound       400 validation_error
        ├── QuotaExceeded       402 quota_exceeded, passing
        ├── SpeechTimeout       504 tts_timeout, passing
        └── SpeechUnavailable   504 tts_timeout, passing

A class's docstring is its default message.
"""

from typing import Any, ClassVar


class AppError(Exception):
    """Something went wrong on our side. Try again in a moment."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str | None = None, *, retry_after_seconds: float | None = None, **details: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.retry_after_seconds = retry_after_seconds
        self.details = details
        super().__init__(self.message)


class DatabaseFailed(AppError):
    """Something went wrong on our side. Try again in a moment."""


class ValidationFailed(AppError):
    """The request does not fit; see details."""

    status, code = 400, "validation_error"

    @classmethod
    def of(cls, path: str, message: str) -> "ValidationFailed":
        """One field that does not fit; `path` names it as in `body.name`."""
        return cls(message, fields=[{"path": path, "message": message}])


class Unauthorized(AppError):
    """Sign in: the request needs a valid access token."""

    status, code = 401, "unauthorized"


class NotFound(AppError):
    """There is no such thing here."""

    status, code = 404, "not_found"


class MethodNotAllowed(AppError):
    """This address does not take that method; see the Allow header."""

    status, code = 405, "method_not_allowed"


class JobInProgress(AppError):
    """A generate job is already running for this notebook."""

    status, code = 409, "job_in_progress"


class VoiceConflict(AppError):
    """Another slot of this language already has this voice; choose a different one."""

    status, code = 409, "conflict"


class UniqueViolation(AppError):
    """Something with this value already exists; choose another."""

    status, code = 409, "unique_violation"


class RequestInProgress(AppError):
    """A request with this Idempotency-Key is being processed; repeat it in a moment."""

    status, code = 409, "request_in_progress"


class LimitExceeded(AppError):
    """This is more than the limit allows."""

    status, code = 413, "limit_exceeded"


class CannotCancel(AppError):
    """The job has already ended."""

    status, code = 422, "cannot_cancel"


class IdempotencyMismatch(AppError):
    """This Idempotency-Key was used for a different request; take a new key."""

    status, code = 422, "idempotency_mismatch"


class RateLimited(AppError):
    """Too many requests; wait as long as Retry-After says."""

    status, code = 429, "rate_limited"


class TryAgainLater(AppError):
    """Not now; deliver this task again."""

    status, code = 503, "try_again_later"


class TasksUnavailable(AppError):
    """Cloud Tasks took no task; try again."""

    status = 503


class StorageFailed(AppError):
    """The audio could not be stored; try again."""

    status = 503


class AccountsUnavailable(AppError):
    """The account could not be deleted just now, and nothing was; try again."""


class SpeechError(AppError):
    """Google Text-to-Speech did not make the audio."""

    segment_code: ClassVar[str] = "internal"
    """`audio_segments.error_code` of a segment that ends with this error."""

    passing: ClassVar[bool] = False
    """Whether the same call may succeed later."""


class InvalidKey(SpeechError):
    """Google refuses this API key."""

    status, code, segment_code = 400, "invalid_key", "invalid_key"

    def __init__(self, *, reason: str, hint: str) -> None:
        super().__init__(f"Google refuses this API key: {hint}", reason=reason, hint=hint)


class TextTooLong(SpeechError):
    """The text is longer than the 5,000 bytes that Google takes in one request; split the phrase."""

    status, code, segment_code = 400, "validation_error", "text_too_long"


class VoiceNotFound(SpeechError):
    """Google does not offer this voice; choose another."""

    status, code, segment_code = 400, "validation_error", "voice_not_found"


class QuotaExceeded(SpeechError):
    """Google's quota for this key is used up; wait, or raise the quota in the Google Cloud console."""

    status, code, segment_code, passing = 402, "quota_exceeded", "quota", True


class SpeechTimeout(SpeechError):
    """Google Text-to-Speech did not answer in time; try again."""

    status, code, segment_code, passing = 504, "tts_timeout", "tts_timeout", True


class SpeechUnavailable(SpeechError):
    """Google Text-to-Speech could not be reached; try again."""

    status, code, segment_code, passing = 504, "tts_timeout", "network", True
