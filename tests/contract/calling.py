"""Requests for any operation of the document, and whether an answer is one that the document declares."""

from typing import Any

import requests

from tests.contract.document import Operation, faults
from tests.learner import UNKNOWN_ID

JSON = "application/json"
TIMEOUT_SECONDS = 10
SLOT = "EN1"


def path_of(operation: Operation, ids: dict[str, str] | None = None) -> str:
    """The path with these ids, and for what has none a valid one that nobody knows."""
    path = operation.path
    for parameter in operation.parameters("path"):
        value = SLOT if parameter == "slot" else (ids or {}).get(parameter, UNKNOWN_ID)
        path = path.replace(f"{{{parameter}}}", value)
    return path


def example_of(operation: Operation) -> Any:
    """The body that the document shows, None where there is none."""
    return operation.definition.get("requestBody", {}).get("content", {}).get(JSON, {}).get("example")


def call(
    app: str,
    operation: Operation,
    authorization: str,
    *,
    path: str | None = None,
    json: Any = None,
    headers: dict[str, str] | None = None,
    session: requests.Session | None = None,
) -> requests.Response:
    """The response to the request that the document shows, but for what is given."""
    return (session or requests).request(
        operation.method,
        app + (path or path_of(operation)),
        json=example_of(operation) if json is None else json,
        headers={"Authorization": authorization, **(headers or {})},
        timeout=TIMEOUT_SECONDS,
    )


def undeclared(operation: Operation, response: requests.Response) -> list[str]:
    """In what a response differs from what the document says of it."""
    answer = operation.answers.get(str(response.status_code))
    if answer is None:
        return [f"{operation} does not declare {response.status_code}"]
    missing = [name for name in operation.required_headers(answer) if name not in response.headers]
    found = [f"the header {name} is missing" for name in missing]
    content = answer.get("content", {})
    media = response.headers.get("Content-Type")
    if response.content and media not in content:
        found.append(f"{media} is not declared")
    if response.content and media == JSON and JSON in content:
        found += faults(content[JSON]["schema"], response.json())
    return found
