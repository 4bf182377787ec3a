"""JSON logs for Cloud Logging, one line per event, in which no key and no token can appear.

Field names are Cloud Logging's: https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRETS = re.compile(
    r"AIza[\w-]*"  # Google API keys
    r"|sb_secret_[\w-]+"  # Supabase's secret keys
    r"|eyJ[\w-]*\.[\w-]*(\.[\w-]*)?"  # JSON Web Tokens
    r"|(?<=(?i:bearer) )[^\s\"']+"
    r"|(?<=X-Goog-Signature=)[0-9a-fA-F]+"
    r"|(?<=://)[^/?#\s\"']+(?=@)"  # user:password of a URL, whatever is in the password
    r"|(?<=(?i:password)=)[^\s\"']+"  # of a database's keywords and values
)
REDACTED = "[redacted]"


def configure_logging(stream: Any = None) -> None:
    """Send structlog's events and the standard library's records through the same processors to `stream` (stderr)."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        severity,
        trace,
        redact,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def severity(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Name the level as Cloud Logging does."""
    return {**event, "severity": {"warn": "WARNING", "exception": "ERROR"}.get(method, method.upper())}


def trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Join the lines of one request under its trace."""
    if "trace_id" in event:
        event["logging.googleapis.com/trace"] = event.pop("trace_id")
    return event


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take every key and token out of every text, however deep it lies."""
    return cast("EventDict", redacted(event))


def redacted(value: Any) -> Any:
    """The same value with each key and token in it replaced; what is no plain data becomes its redacted text."""
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {redacted(str(key)): redacted(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redacted(item) for item in value]
        case str():
            return SECRETS.sub(REDACTED, value)
        case _:
            return SECRETS.sub(REDACTED, str(value))
