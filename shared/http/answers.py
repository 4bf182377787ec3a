"""Answers: JSON with the headers of the contract."""

import math
from typing import Any

import orjson
from flask import Response, request
from pydantic import BaseModel

from shared.errors import AppError
from shared.services.repeating import Outcome

JSON = "application/json"
PRIVATE = "private, no-cache"


def answer(body: BaseModel | bytes, status: int = 200, **headers: str) -> Response:
    """A JSON answer; keyword arguments are headers (`retry_after="1"`), bytes are JSON already."""
    data = body if isinstance(body, bytes) else json_bytes(body)
    return Response(data, status, {_header_name(name): value for name, value in headers.items()}, content_type=JSON)


def repeatable_answer(outcome: Outcome) -> Response:
    """An answer that may be the repeat of an earlier one, and then says so."""
    response = answer(outcome.answer.body, outcome.answer.status)
    if outcome.answer.location:
        response.headers["Location"] = outcome.answer.location
    if outcome.is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def no_content() -> Response:
    """204."""
    return Response(status=204)


def json_bytes(body: BaseModel) -> bytes:
    """The body as it goes over the wire."""
    return body.model_dump_json(by_alias=True).encode()


def error_answer(error: AppError) -> Response:
    """The one shape of every error."""
    body: dict[str, Any] = {"error": {"code": error.code, "message": error.message, "details": error.details}}
    response = Response(orjson.dumps(body), error.status, content_type=JSON)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def finish(response: Response, *, no_store: bool) -> Response:
    """Caching as the contract has it: GETs carry a weak ETag and answer 304, secrets are never stored."""
    response.headers["Cache-Control"] = "no-store" if no_store else PRIVATE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.vary.add("Authorization")
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not no_store:
        response.add_etag(weak=True)
        response.make_conditional(request)
    return response


def _header_name(name: str) -> str:
    return name.replace("_", "-").title()
