"""The OpenAPI document: valid, complete, and what the code says."""

import ast
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from collections import Counter
from enum import Enum
from typing import Any

import pytest
import requests
from openapi_spec_validator import validate
from pydantic import BaseModel

from infra.local.functions import API
from shared import dto, errors
from shared.errors import AppError
from tests.contract.document import DOCUMENT, ROOT, TEXT, Operation, codes, faults, operations
from tests.system import System

OPERATIONS = operations()
NAMES = [str(operation) for operation in OPERATIONS]
JSON = "application/json"
ANSWERS = DOCUMENT["components"]["responses"]
WORKERS_ONLY = {errors.TryAgainLater, errors.TasksUnavailable, errors.StorageFailed}


def each_operation(test: Any) -> Any:
    return pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)(test)


def models() -> list[type]:
    """Every class in `shared.dto` that can have a schema."""
    modules = [importlib.import_module(f"{dto.__name__}.{each.name}") for each in pkgutil.iter_modules(dto.__path__)]
    classes = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return [cls for cls in classes if cls.__module__.startswith("shared.") and issubclass(cls, BaseModel | Enum)]


def all_errors(kind: type[AppError] = AppError) -> set[type[AppError]]:
    return {kind}.union(*(all_errors(each) for each in kind.__subclasses__()))


def test_the_committed_document_is_what_the_code_says() -> None:
    command = [sys.executable, "-m", "infra.local.document"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout
    if made != TEXT:
        pytest.fail("docs/openapi.json differs from the code: run `make openapi` and commit it", pytrace=False)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_the_system_serves_the_committed_document(system: System) -> None:
    served = requests.get(f"{system.app}/api/openapi.json", timeout=10)
    assert served.headers["Content-Type"] == JSON
    assert served.text == TEXT


def test_there_is_a_page_to_try_it(system: System) -> None:
    page = requests.get(f"{system.app}/api/docs", timeout=10)
    assert page.ok
    assert "/api/openapi.json" in page.text
    assert requests.get(f"{page.url}/js/swagger-ui-bundle.js", timeout=10).ok


def test_no_two_models_share_a_name() -> None:
    assert [name for name, times in Counter(cls.__name__ for cls in models()).items() if times > 1] == []


def test_every_model_of_the_wire_is_in_dto() -> None:
    for main in (ROOT / "functions").glob("*/main.py"):
        classes = [node for node in ast.walk(ast.parse(main.read_text())) if isinstance(node, ast.ClassDef)]
        assert classes == [], f"{main} defines a class; if it is a model, it belongs into shared/dto"


def test_every_schema_is_of_a_model() -> None:
    assert DOCUMENT["components"]["schemas"].keys() <= {cls.__name__ for cls in models()}


def test_every_endpoint_of_the_functions_is_documented() -> None:
    in_code = sum((ROOT / "functions" / name / "main.py").read_text().count("\n@api.") for name in API)
    assert len(OPERATIONS) == in_code


def test_workers_are_not_in_the_public_document() -> None:
    assert [path for path in DOCUMENT["paths"] if "tasks" in path] == []


def test_operations_have_names_of_their_own() -> None:
    names = [operation.definition["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)


@each_operation
def test_an_operation_says_which_function_serves_it(operation: Operation) -> None:
    assert operation.functions == tuple(operation.definition["tags"])
    assert (ROOT / "functions" / operation.functions[0] / "main.py").exists()


@each_operation
def test_an_operation_says_who_may_call_it(operation: Operation) -> None:
    is_public = operation.path == "/api/health"
    assert operation.definition["security"] == ([] if is_public else [{"bearer": []}])
    assert ("401" in operation.answers) is not is_public
    assert ("429" in operation.answers) is not is_public


@each_operation
def test_an_operation_has_each_answer_that_its_request_can_get(operation: Operation) -> None:
    parameters = operation.definition.get("parameters", [])
    takes = {parameter["in"] for parameter in parameters if parameter["name"] != "If-None-Match"}
    has_body = "requestBody" in operation.definition
    assert ("400" in operation.answers) is bool(takes or has_body)
    assert ("404" in operation.answers) is ("path" in takes)
    assert ("413" in operation.answers) is has_body
    assert "500" in operation.answers


@each_operation
def test_an_answer_has_a_description_headers_and_an_example_of_its_schema(operation: Operation) -> None:
    for status, answer in operation.answers.items():
        assert answer["description"], status
        assert "X-Request-Id" in answer["headers"]
        media = answer.get("content", {}).get(JSON)
        if media:
            examples = (
                [media["example"]] if "example" in media else [each["value"] for each in media["examples"].values()]
            )
            assert [faults(media["schema"], example) for example in examples] == [[]] * len(examples)


@each_operation
def test_an_error_answer_has_an_example_of_each_code(operation: Operation) -> None:
    for status, answer in operation.answers.items():
        if status >= "400":
            assert codes(answer), f"{status} has no example"
            assert {f"`{code}`" for code in codes(answer)} <= set(answer["description"].replace(":", " ").split())


@each_operation
def test_the_example_of_a_body_fits_its_schema(operation: Operation) -> None:
    if body := operation.definition.get("requestBody"):
        assert faults(body["content"][JSON]["schema"], body["content"][JSON]["example"]) == []


@each_operation
def test_the_example_of_a_parameter_fits_its_schema(operation: Operation) -> None:
    for parameter in operation.definition.get("parameters", []):
        if "example" in parameter:
            assert faults(parameter["schema"], parameter["example"]) == []


def test_the_document_has_every_error_that_a_learner_can_get() -> None:
    documented = {(kind.status, kind.code) for kind in all_errors() if kind.__name__ in ANSWERS}
    assert documented == {(kind.status, kind.code) for kind in all_errors() - WORKERS_ONLY}


def test_the_preview_is_binary() -> None:
    answer = DOCUMENT["paths"]["/api/voices:preview"]["post"]["responses"]["200"]
    assert list(answer["content"]) == ["audio/mpeg"]
