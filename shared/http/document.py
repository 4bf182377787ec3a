"""The OpenAPI 3.1 document: what flask-openapi3 reads from the views, completed with what all of them have in common.

Standards: https://spec.openapis.org/oas/v3.1.0 and JSON Schema 2020-12.
"""

import copy
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask_openapi3 import OpenAPI

from shared import errors
from shared.errors import AppError
from shared.http.answers import JSON
from shared.http.app import UserApi
from shared.http.declarations import Declared, declared
from shared.http.document_answers import (
    HEADERS,
    Described,
    model_of,
    refusal,
    refusal_or,
    refusal_ref,
    schema_ref,
    success,
    unchanged,
)
from shared.http.examples import body_example, parameter_example

DESCRIPTION = """\
Phrases to audio, audio to listening.

Every answer with a status of 400 or more has one shape, `ErrorAnswer`. An unknown address is answered with 404 \
`not_found`, a known one asked with another method with 405 `method_not_allowed` and an `Allow` header. What belongs \
to somebody else is answered like what does not exist.

GETs carry an `ETag`, unless no cache may keep their answers; with it in `If-None-Match`, an unchanged answer is a \
304. JSON of more than 1 KiB is compressed with gzip for a client that accepts it.\
"""
IF_NONE_MATCH: Described = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of the answer that the client has.",
    "schema": {"type": "string"},
}
FUNCTIONS_URL: Described = {
    "default": "https://REGION-PROJECT.cloudfunctions.net",
    "description": "Where the functions are deployed.",
}
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


@dataclass(frozen=True)
class Endpoint:
    """One operation of the document, and what is known of the view behind it."""

    path: str
    method: str
    operation: Described
    function: str
    declared: Declared
    no_store: bool

    @property
    def parameters(self) -> list[Described]:
        """Parameters in the path, the query and headers."""
        parameters: list[Described] = self.operation.get("parameters", [])
        return parameters

    @property
    def is_repeatable(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return any(parameter["name"] == "Idempotency-Key" for parameter in self.parameters)

    @property
    def has_etag(self) -> bool:
        """Whether its answer names its state."""
        return self.method == "get" and not self.no_store


def document(app: OpenAPI) -> Described:
    """The document of the API functions that an app serves, as JSON has it; workers and other routes are left out."""
    spec: Described = _tidied(copy.deepcopy(app.api_doc))
    schemas = spec["components"]["schemas"]
    endpoints = list(_endpoints(app, spec["paths"]))
    kinds = {kind for endpoint in endpoints for kind in _errors(endpoint)} | {errors.MethodNotAllowed}
    schemas["ErrorBody"]["properties"]["code"]["enum"] = sorted({kind.code for kind in kinds})
    return {
        "openapi": spec["openapi"],
        "info": {**spec["info"], "description": DESCRIPTION},
        "servers": [_one_origin()],
        "tags": spec["tags"],
        "paths": _paths(endpoints, schemas),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {kind.__name__: refusal([kind]) for kind in sorted(kinds, key=lambda kind: kind.__name__)},
            "headers": HEADERS,
            "securitySchemes": spec["components"]["securitySchemes"],
        },
    }


def _endpoints(app: Flask, paths: Described) -> Iterator[Endpoint]:
    for rule in app.url_map.iter_rules():
        api = app.blueprints.get(rule.endpoint.partition(".")[0])
        if not isinstance(api, UserApi):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = paths[path][method.lower()]
            for parameter in operation.get("parameters", []):
                _complete_parameter(parameter)
            view = app.view_functions[rule.endpoint]
            yield Endpoint(path, method.lower(), operation, api.name, declared(view), api.no_store)


def _paths(endpoints: list[Endpoint], schemas: Described) -> Described:
    """Path items in the order of the functions, each with the servers that answer it."""
    paths: Described = {}
    for endpoint in endpoints:
        servers = [_one_origin(), _function_server(endpoint.function)]
        paths.setdefault(endpoint.path, {"servers": servers})[endpoint.method] = _operation(endpoint, schemas)
    return paths


def _one_origin() -> Described:
    return {"url": "/", "description": "One origin for all functions, as on one machine."}


def _function_server(function: str) -> Described:
    return {
        "url": f"{{functions_url}}/{function}",
        "description": f"The function `{function}` in the cloud.",
        "variables": {"functions_url": FUNCTIONS_URL},
    }


def _operation(endpoint: Endpoint, schemas: Described) -> Described:
    read = endpoint.operation
    operation: Described = {
        name: read[name] for name in ("tags", "summary", "description", "operationId") if name in read
    }
    operation["security"] = [] if endpoint.declared.is_public else read["security"]
    if parameters := [*endpoint.parameters, *([IF_NONE_MATCH] if endpoint.has_etag else [])]:
        operation["parameters"] = parameters
    if body := read.get("requestBody"):
        operation["requestBody"] = _body(str(model_of(body["content"])), schemas)
    return {**operation, "responses": _answers(endpoint, schemas)}


def _body(model: str, schemas: Described) -> Described:
    """A body; one whose fields may all be left out may be left out itself."""
    schema = schemas[model]
    return {
        "description": schema["description"],
        "required": "required" in schema or "minProperties" in schema,
        "content": {JSON: {"schema": schema_ref(model), "example": body_example(model)}},
    }


def _complete_parameter(parameter: Described) -> None:
    """Headers have dashes, and nothing outside a body can be null: it is there or it is not."""
    if parameter["in"] == "header":
        parameter["name"] = parameter["name"].replace("_", "-").title()
    schema = parameter["schema"]
    if schema.get("default", 0) is None:
        del schema["default"]
    alternatives = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
    parameter["schema"] = {**schema, **alternatives[0]} if alternatives else schema
    parameter["schema"].pop("description", None)
    if example := parameter_example(parameter["name"]):
        parameter["example"] = example


def _answers(endpoint: Endpoint, schemas: Described) -> Described:
    """Every answer by its status, in order."""
    declared_answers = dict(endpoint.operation["responses"])
    declared_answers.pop("400", None)  # flask-openapi3's own, of another shape than ours
    answers = {
        status: success(answer, _success_headers(endpoint, status), schemas)
        for status, answer in declared_answers.items()
    }
    if endpoint.has_etag:
        answers["304"] = unchanged()
    for status, kinds in _errors_by_status(endpoint).items():
        if status in declared_answers:
            answers[status] = refusal_or(answers[status], kinds)
        else:
            answers[status] = refusal_ref(kinds[0]) if len(kinds) == 1 else refusal(kinds)
    return dict(sorted(answers.items()))


def _success_headers(endpoint: Endpoint, status: str) -> list[str]:
    own = list(endpoint.declared.headers)
    if endpoint.has_etag and status == "200":
        own.append("ETag")
    return [*own, "Idempotency-Replayed"] if endpoint.is_repeatable else own


def _errors_by_status(endpoint: Endpoint) -> dict[str, list[type[AppError]]]:
    kinds = defaultdict(list)
    for kind in _errors(endpoint):
        kinds[str(kind.status)].append(kind)
    return kinds


def _errors(endpoint: Endpoint) -> list[type[AppError]]:
    """Those that follow from what the endpoint takes, then those that it declares."""
    body = endpoint.operation.get("requestBody")
    kinds: list[type[AppError]] = [AppError]
    if not endpoint.declared.is_public:
        kinds += [errors.Unauthorized, errors.RateLimited]
    if body or endpoint.parameters:
        kinds.append(errors.ValidationFailed)
    if any(parameter["in"] == "path" for parameter in endpoint.parameters):
        kinds.append(errors.NotFound)
    if body:
        kinds.append(errors.LimitExceeded)
    if endpoint.is_repeatable:
        kinds += [errors.RequestInProgress, errors.IdempotencyMismatch]
    return list(dict.fromkeys([*kinds, *endpoint.declared.errors]))


def _tidied(value: Any) -> Any:
    """Without the titles that pydantic makes of names, and with whole numbers where flask-openapi3 made floats."""
    match value:
        case dict():
            return {
                name: int(item) if name in BOUNDS and item == int(item) else _tidied(item)
                for name, item in value.items()
                if name != "title" or "version" in value
            }
        case list():
            return [_tidied(item) for item in value]
    return value
