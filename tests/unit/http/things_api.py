"""A throw-away function with a view of each kind, and how a test calls it."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from flask.testing import FlaskClient
from flask_openapi3 import APIBlueprint
from pydantic import Field
from werkzeug.test import TestResponse

from shared import http
from shared.db.idempotency import StoredAnswer
from shared.dto.schema import IdempotencyHeader, Input, NotebookPath, Output, PageQuery, Parameters
from shared.errors import NotFound, RateLimited, StorageFailed
from shared.services.repeating import Outcome
from tests.unit.token_issuer import TokenIssuer

USER_ID = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11")
NOTEBOOK_ID = UUID("0b8f4a52-7c1f-4c52-9d8f-0a8a4f0c2b12")
NOTEBOOK = f"/api/notebooks/{NOTEBOOK_ID}"
SECRET = "swordfish"


class Things(Output):
    """Something to answer with."""

    things: list[str]


class Inner(Input):
    """An object in a body."""

    flag: bool


class ThingPutRequest(Input):
    """A body to be checked."""

    name: str = Field(min_length=2)
    count: int = Field(default=1, strict=True)
    inner: list[Inner] = Field(default=[])


class CountPath(Parameters):
    """A number of bytes in the path."""

    count: int


class SecondsPath(Parameters):
    """A number of seconds in the path."""

    seconds: float


def things_api(name: str = "things", *, no_store: bool = False) -> APIBlueprint:
    """The function; with another name its paths are below that name."""
    api = http.user_api(name, "Things.", no_store=no_store)
    prefix = "" if name == "things" else f"/{name}"

    @api.get(f"{prefix}/public")
    @http.public
    def public() -> Response:
        return http.answer(Things(things=[]))

    @api.get(f"{prefix}/notebooks/<id:notebook_id>")
    def get(path: NotebookPath, query: PageQuery) -> Response:
        return http.answer(Things(things=[str(path.notebook_id)] * query.limit))

    @api.put(f"{prefix}/notebooks/<id:notebook_id>")
    def put(path: NotebookPath, body: ThingPutRequest) -> Response:  # noqa: ARG001
        return http.answer(Things(things=[body.name, str(http.caller().id)]))

    @api.delete(f"{prefix}/notebooks/<id:notebook_id>")
    def delete(path: NotebookPath) -> Response:  # noqa: ARG001
        return http.no_content()

    @api.post(f"{prefix}/notebooks/<id:notebook_id>:cancel")
    def cancel(path: NotebookPath) -> Response:
        return http.answer(Things(things=[str(path.notebook_id)]), 202, location=f"/api/notebooks/{path.notebook_id}")

    @api.post(f"{prefix}/notebooks:import")
    def import_(header: IdempotencyHeader) -> Response:
        answer = StoredAnswer(201, "/api/notebooks/7", b'{"n":  7}')
        return http.repeatable_answer(Outcome(answer, is_replayed=header.idempotency_key is not None))

    @api.get(f"{prefix}/bytes/<id:count>")
    def text(path: CountPath) -> Response:
        return http.answer(orjson.dumps("x" * (path.count - 2)))

    @api.get(f"{prefix}/wait/<id:seconds>")
    def wait(path: SecondsPath) -> Response:
        raise RateLimited(retry_after_seconds=path.seconds)

    @api.get(f"{prefix}/missing")
    def missing() -> Response:
        raise NotFound

    @api.get(f"{prefix}/storage")
    def storage() -> Response:
        raise StorageFailed from OSError(SECRET)

    @api.get(f"{prefix}/crash")
    def crash() -> Response:
        raise ZeroDivisionError(SECRET)

    return api


@dataclass
class Learner:
    """Someone who calls an app in this process with a token, or with whatever else a test has them send."""

    client: FlaskClient
    issuer: TokenIssuer

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """The response to a request; `options` are those of werkzeug's EnvironBuilder."""
        return self.client.open(
            path, method=method, headers={"Authorization": f"Bearer {self.token()}", **(headers or {})}, **options
        )

    def put(self, body: bytes | str, content_type: str = "application/json") -> TestResponse:
        """The response to a body."""
        return self.call("PUT", NOTEBOOK, data=body, content_type=content_type)

    def token(self) -> str:
        """A token that is accepted."""
        claims = {
            "iss": f"{self.issuer.origin}/auth/v1",
            "aud": "authenticated",
            "role": "authenticated",
            "sub": str(USER_ID),
            "exp": int(time.time()) + 60,
        }
        return self.issuer.sign(claims)


def refused(response: TestResponse) -> tuple[int, str]:
    """The status and the code of a refusal, which must have the one shape."""
    assert response.content_type == "application/json"
    assert response.json is not None
    assert response.json.keys() == {"error"}
    error = response.json["error"]
    assert error.keys() == {"code", "message", "details"}
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["details"], dict)
    return response.status_code, error["code"]


def invalid_fields(response: TestResponse) -> list[str]:
    """The paths of the fields that a validation error names."""
    assert refused(response) == (400, "validation_error"), response.text
    assert response.json is not None
    fields = response.json["error"]["details"]["fields"]
    assert all(field.keys() == {"path", "message"} and field["message"] for field in fields)
    return [field["path"] for field in fields]
