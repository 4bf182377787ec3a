"""Turns what Postgres refuses into our errors, by the name of the constraint; the one place that does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from shared import errors
from shared.errors import AppError, DatabaseFailed, ValidationFailed

log = structlog.get_logger()

ERRORS: dict[str, Callable[[], AppError]] = {
    "users_fk_auth": errors.Unauthorized,
    "notebooks_uq_user_name": lambda: errors.UniqueViolation("You already have a notebook of this name."),
    "notebooks_limit": lambda: errors.LimitExceeded("You have 500 notebooks, which is the limit; delete one first."),
    "phrases_limit": lambda: errors.LimitExceeded("A notebook holds at most 100 phrases."),
    "phrases_uq_notebook_position": lambda: errors.UniqueViolation("Another phrase has this position."),
    "phrases_fk_notebook": errors.NotFound,
    "user_voices_uq_user_language_voice": errors.VoiceConflict,
    "tts_credentials_tested": lambda: ValidationFailed.of(
        "body.google_api_key", "Test this key first; a successful test counts for 15 minutes."
    ),
    "jobs_uq_notebook_active": errors.JobInProgress,
    "start_job_notebook": errors.NotFound,
    "start_job_key": lambda: ValidationFailed("Save a Google Text-to-Speech key in the settings first."),
    "start_job_voices": lambda: ValidationFailed("Choose a voice for each of EN1, EN2, EN3 and PL first."),
    "start_job_phrases": lambda: ValidationFailed("This notebook has no phrases; add one first."),
    "cancel_job_job": errors.NotFound,
    "cancel_job_state": errors.CannotCancel,
    "idempotency_in_progress": errors.RequestInProgress,
    "idempotency_mismatch": errors.IdempotencyMismatch,
}


@contextmanager
def translated() -> Iterator[None]:
    """Raises the AppError that a violated constraint means, and DatabaseFailed for everything else that goes wrong."""
    try:
        yield
    except (PoolTimeout, PoolClosed, TooManyRequests) as error:
        log.error("postgres is out of reach", exc_info=error)
        raise DatabaseFailed from error
    except psycopg.Error as error:
        make = ERRORS.get(error.diag.constraint_name or "")
        if make:
            raise make() from None
        log.error("postgres refused", exc_info=error)
        raise DatabaseFailed from error
