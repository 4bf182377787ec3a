"""docs/contract-coverage.md has a row for each answer of the contract, and the tests that it names exist."""

import re

import pytest

from tests.contract.coverage_page import GAP, PATH, error_rows, operation_rows
from tests.contract.document import ROOT

PAGE = PATH.read_text(encoding="utf-8")
LINK = re.compile(r"\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)")
STALE = "run `make coverage-page` and commit docs/contract-coverage.md"


def test_each_answer_of_the_document_has_a_row() -> None:
    for row in operation_rows():
        code = f"`{row.code}`" if row.code else ""
        assert f"| `{row.operation}` | {row.status} | {code} |" in PAGE, f"{row}: {STALE}"


def test_each_error_of_the_contract_has_a_row() -> None:
    for row in error_rows():
        assert f"| {row.status} | `{row.code}` |" in PAGE, f"{row}: {STALE}"


def test_there_are_no_other_rows() -> None:
    lines = [line for line in PAGE.splitlines() if re.match(r"\| (`[A-Z]+ /|\d{3})", line)]
    assert len(lines) == len(operation_rows()) + len(error_rows()), STALE


def test_no_answer_is_without_a_test() -> None:
    assert GAP not in PAGE


@pytest.mark.parametrize(("name", "file"), sorted(set(LINK.findall(PAGE))))
def test_a_test_that_is_named_exists(name: str, file: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), STALE
