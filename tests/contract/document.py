"""The committed OpenAPI document, as tests read it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs" / "openapi.json"
TEXT = PATH.read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = json.loads(TEXT)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    path: str
    method: str
    definition: dict[str, Any]
    functions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def answers(self) -> dict[str, Any]:
        """Each answer by its status, references followed."""
        return {status: _followed(answer) for status, answer in self.definition["responses"].items()}

    def parameters(self, place: str) -> list[str]:
        """The names of the parameters in the path, the query or headers."""
        return [each["name"] for each in self.definition.get("parameters", []) if each["in"] == place]

    @staticmethod
    def required_headers(answer: dict[str, Any]) -> list[str]:
        """The headers that an answer always has."""
        return [name for name in answer["headers"] if DOCUMENT["components"]["headers"][name].get("required")]


def operations() -> list[Operation]:
    """Every operation of the document."""
    return list(_operations())


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]}, validate_formats=True)
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def codes(answer: dict[str, Any]) -> set[str]:
    """The error codes of an answer's examples."""
    examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
    return {each["value"]["error"]["code"] for each in examples.values() if "error" in each["value"]}


def _operations() -> Iterator[Operation]:
    for path, item in DOCUMENT["paths"].items():
        functions = tuple(
            server["url"].rpartition("/")[2] for server in item["servers"] if server["url"].startswith("{")
        )
        for method in item.keys() - {"servers"}:
            yield Operation(path, method, item[method], functions)


def _followed(answer: dict[str, Any]) -> dict[str, Any]:
    reference = answer.get("$ref")
    return DOCUMENT["components"]["responses"][reference.rpartition("/")[2]] if reference else answer
