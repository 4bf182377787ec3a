"""Requests: their JSON, their ids, and who sends them."""

import re
from typing import Any
from uuid import uuid4

import orjson
from flask import Request, g
from structlog.contextvars import bind_contextvars, clear_contextvars

from shared.auth import User
from shared.errors import ValidationFailed

MAX_BODY_BYTES = 256 * 1024
REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header."""


class JsonRequest(Request):
    """A request whose body, where there is one, must be a JSON object."""

    max_content_length = MAX_BODY_BYTES

    def get_json(self, *_: Any, **__: Any) -> Any:
        """The object; an empty body counts as an empty one. Raises ValidationFailed."""
        data = self.get_data(cache=True)
        if not data:
            return {}
        if self.mimetype != "application/json":
            raise ValidationFailed.of("header.Content-Type", "Send the body as application/json.")
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ValidationFailed.of("body", f"This is not valid JSON: {error}") from None
        if not isinstance(body, dict):
            raise ValidationFailed.of("body", "Send a JSON object.")
        return body


def caller() -> User:
    """The learner who sent this request."""
    user: User = g.user
    return user


def identify(request: Request) -> None:
    """Give the request its id and bind what every log line of it shall carry."""
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if REQUEST_ID.fullmatch(sent) else uuid4().hex
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    if trace := TRACE_PARENT.fullmatch(request.headers.get("traceparent", "")):
        bind_contextvars(trace_id=trace[1])
