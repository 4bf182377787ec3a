"""docs/contract-coverage.md: its rows, which follow from the document, and its text."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared import errors
from tests.contract.document import DOCUMENT, ROOT, codes, operations

PATH = ROOT / "docs" / "contract-coverage.md"
GAP = "**no test**"


class Row(NamedTuple):
    """An answer of an operation: its status and, for an error, its code. An error at any address has no operation."""

    operation: str
    status: int
    code: str

    def __str__(self) -> str:
        return f"{self.operation or 'any address'} {self.status} {self.code}".rstrip()


# A crash cannot be had from outside, and this endpoint answers for itself where Postgres is out of reach.
SHOWN_WITHOUT_HTTP = {
    Row("GET /api/health", 500, "internal"): (
        "tests/unit/http/test_answers.py::test_a_crash_is_internal_and_does_not_say_what_happened"
    ),
}


def error_rows() -> list[Row]:
    """Every error of the contract, wherever it is answered."""
    kinds = [getattr(errors, name) for name in DOCUMENT["components"]["responses"]]
    return [Row("", status, code) for status, code in sorted({(kind.status, kind.code) for kind in kinds})]


def operation_rows() -> list[Row]:
    """Every answer that the document declares."""
    return [row for operation in operations() for row in _answers(str(operation), operation.answers)]


def rows() -> list[Row]:
    """All rows of the page."""
    return [*error_rows(), *operation_rows()]


def page(tests: Mapping[Row, str], responses: int) -> str:
    """The page, with the test that shows each answer."""
    gaps = sum(row not in tests for row in rows())
    lines = [
        "# What shows that the contract is kept",
        "",
        "Written by `make coverage-page` from a run of the tests. Each answer that the [document](openapi.json) has,",
        "and a test that gets it over HTTP and passes.",
        "",
        f"{len(operations())} endpoints, {len(operation_rows())} answers, {gaps} without a test.",
        f"The tests got {responses} responses; each has a status, the headers and the schema of the document.",
        "",
        "## Errors",
        "",
        "| Status | Code | Meaning | Shown by |",
        "| --- | --- | --- | --- |",
        *(f"| {row.status} | `{row.code}` | {_meaning(row)} | {_test(tests, row)} |" for row in error_rows()),
        "",
        "## Endpoints",
        "",
        "| Endpoint | Status | Code | Shown by |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{row.operation}` | {row.status} | {f'`{row.code}`' if row.code else ''} | {_test(tests, row)} |"
            for row in operation_rows()
        ),
    ]
    return "\n".join(lines) + "\n"


def _answers(operation: str, answers: Mapping[str, dict[str, object]]) -> Iterator[Row]:
    for status, answer in answers.items():
        if int(status) < 400 or "Health" in str(answer):
            yield Row(operation, int(status), "")
        yield from (Row(operation, int(status), code) for code in sorted(codes(answer)))


def _meaning(row: Row) -> str:
    kinds = [getattr(errors, name) for name in DOCUMENT["components"]["responses"]]
    return " ".join(kind.__doc__ for kind in kinds if (kind.status, kind.code) == (row.status, row.code))


def _test(tests: Mapping[Row, str], row: Row) -> str:
    if row not in tests:
        return GAP
    file, *_, name = tests[row].split("::")
    return f"[{name}](../{file})"
