"""Answers as the OpenAPI document describes them: their headers, and each error from its class."""

from collections.abc import Sequence
from typing import Any

from shared import errors
from shared.errors import AppError
from shared.http.answers import JSON
from shared.http.examples import body_example, error_example, failed_example

Described = dict[str, Any]

HEADERS: dict[str, Described] = {
    "X-Request-Id": {
        "description": "Names this request in the logs. It is the client's own, where that is 8 to 64 letters, digits, "
        "dots, dashes and underscores.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Names this state of the answer, for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "The path of what was made.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "Says that this is the first answer to this `Idempotency-Key` once more, byte for byte.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Come again after so many seconds. A job carries it until it has ended, a 429 always.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "The scheme of RFC 6750.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
    "Allow": {"description": "The methods that this address takes.", "required": True, "schema": {"type": "string"}},
}
HEADERS_OF_ERRORS: dict[type[AppError], str] = {
    errors.Unauthorized: "WWW-Authenticate",
    errors.MethodNotAllowed: "Allow",
    errors.RateLimited: "Retry-After",
}


def schema_ref(model: str) -> Described:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{model}"}


def model_of(content: Described) -> str | None:
    """The model of a body or an answer, None where it has none."""
    reference: str = content.get(JSON, {}).get("schema", {}).get("$ref", "")
    return reference.rpartition("/")[2] or None


def success(answer: Described, headers: Sequence[str], schemas: Described) -> Described:
    """A declared answer with its headers, its model's description and an example."""
    described: Described = {"description": answer["description"], "headers": _headers(*headers)}
    content = answer.get("content", {})
    if model := model_of(content):
        described["description"] = schemas[model]["description"]
        content = {JSON: {"schema": schema_ref(model), "example": body_example(model)}}
    return {**described, "content": content} if content else described


def unchanged() -> Described:
    """The answer to a client that has the current one."""
    return {"description": "What the client has is the current answer.", "headers": _headers("ETag")}


def refusal(kinds: Sequence[type[AppError]]) -> Described:
    """One answer that stands for all these errors, which have one status."""
    headers = [HEADERS_OF_ERRORS[kind] for kind in kinds if kind in HEADERS_OF_ERRORS]
    return {
        "description": "\n".join(f"`{kind.code}`: {kind.__doc__}" for kind in kinds),
        "headers": _headers(*headers),
        "content": {
            JSON: {
                "schema": _error_schema(kinds),
                "examples": {kind.__name__: {"value": error_example(kind)} for kind in kinds},
            }
        },
    }


def refusal_or(answer: Described, kinds: Sequence[type[AppError]]) -> Described:
    """The same where a view answers with a model of its own at the status of an error."""
    described = refusal(kinds)
    described["description"] = f"{answer['description']}\n{described['description']}"
    content = described["content"][JSON]
    own = answer["content"]
    content["schema"] = {"anyOf": [own[JSON]["schema"], content["schema"]]}
    content["examples"][str(model_of(own))] = {"value": failed_example(str(model_of(own)))}
    return described


def refusal_ref(kind: type[AppError]) -> Described:
    """A reference to the answer that stands for one error."""
    return {"$ref": f"#/components/responses/{kind.__name__}"}


def _error_schema(kinds: Sequence[type[AppError]]) -> Described:
    codes = sorted({kind.code for kind in kinds})
    code: Described = {"const": codes[0]} if len(codes) == 1 else {"enum": codes}
    narrowed = {"properties": {"error": {"properties": {"code": {"type": "string", **code}}}}}
    return {"allOf": [schema_ref("ErrorAnswer"), {"type": "object", **narrowed}]}


def _headers(*names: str) -> Described:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}
