"""A pytest plugin that writes docs/contract-coverage.md: each answer of the contract, and a test that shows it.

`pytest -p tests.contract.coverage --contract-coverage docs/contract-coverage.md tests/functions tests/contract` follows
every response that a test gets over HTTP. The run fails where one is not as the document says, or an answer is shown
by no test.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from tests.contract.calling import JSON, undeclared
from tests.contract.coverage_page import SHOWN_WITHOUT_HTTP, Row, page, rows
from tests.contract.document import Operation, operations


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that switches this on."""
    parser.addoption("--contract-coverage", type=Path, metavar="FILE", help="write which test shows which answer")


def pytest_configure(config: pytest.Config) -> None:
    """Follow the tests of this run, if that is asked for."""
    path: Path | None = config.getoption("--contract-coverage")
    if path:
        config.pluginmanager.register(Recorder(path), "contract-coverage-recorder")


SERVER = "audio-loop"
"""How the local system names itself. A function that a test starts alone does not, and has few addresses."""


class Recorder:
    """Remembers which answers each test saw."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._paths = [(operation, _path_pattern(operation.path)) for operation in operations()]
        self._test: str | None = None
        self._seen: dict[str, list[Row]] = defaultdict(list)
        self._passed: set[str] = set()
        self._undeclared: set[str] = set()
        self._responses = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        """Listen while tests run."""
        send = requests.Session.send

        def listening(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
            response = send(session, request, **options)
            self._record(response)
            return response

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests.Session, "send", listening)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """What fixtures ask before and after is not what the test shows."""
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Only a test that passes shows anything."""
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page; fail where something is missing or wrong."""
        tests = self._tests()
        self._path.write_text(page(tests, self._responses), encoding="utf-8")
        if self._undeclared or any(row not in tests for row in rows()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what is missing or wrong."""
        tests = self._tests()
        gaps = [row for row in rows() if row not in tests]
        terminalreporter.section("contract coverage")
        terminalreporter.line(
            f"{self._responses} responses followed, {len(rows())} answers, {len(gaps)} without a test"
        )
        for gap in gaps:
            terminalreporter.line(f"no test shows {gap}")
        for difference in sorted(self._undeclared):
            terminalreporter.line(difference)

    def _record(self, response: requests.Response) -> None:
        path = urlsplit(unquote(str(response.url))).path
        if response.headers.get("Server") != SERVER or path.startswith("/api/tasks/"):
            return
        code = _error_code(response)
        operation = self._operation(str(response.request.method).lower(), path)
        if operation and response.status_code == 404 and not operation.parameters("path"):
            return  # the workers' server, which does not have the learners' addresses
        if operation:
            self._responses += 1
            self._undeclared.update(undeclared(operation, response))
        if self._test and operation:
            self._seen[self._test].append(Row(str(operation), response.status_code, code))
        if self._test and code:
            self._seen[self._test].append(Row("", response.status_code, code))

    def _operation(self, method: str, path: str) -> Operation | None:
        return next((each for each, own in self._paths if each.method == method and own.fullmatch(path)), None)

    def _tests(self) -> dict[Row, str]:
        """For each answer that was seen, a test that ends with it if there is one, and asks for little besides."""
        seen: dict[Row, list[tuple[bool, int, str]]] = defaultdict(list)
        for test in self._passed & self._seen.keys():
            answers = self._seen[test]
            for row in answers:
                seen[row].append((row not in answers[-2:], len(answers), test.partition("[")[0]))
        return {**SHOWN_WITHOUT_HTTP, **{row: min(tests)[-1] for row, tests in seen.items()}}


def _error_code(response: requests.Response) -> str:
    """The code of an error, nothing for any other answer."""
    if response.status_code < 400 or response.headers.get("Content-Type") != JSON:
        return ""
    code: str = response.json().get("error", {}).get("code", "")
    return code


def _path_pattern(path: str) -> re.Pattern[str]:
    """Matches the paths of an operation: an id ends at a slash or a colon, a slot at a slash."""
    any_slot = re.escape(path).replace(r"\{slot\}", "[^/]+")
    return re.compile(re.sub(r"\\{\w+\\}", "[^/:]+", any_slot))
