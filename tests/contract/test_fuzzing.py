"""Schemathesis over the whole document with all its checks, as two users: `make fuzz` does the same at length.

FUZZ_EXAMPLES says how many requests each operation gets beside those that the document itself suggests, FUZZ_SEED how
they are chosen: in `make test` always alike.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

import pytest

from infra.local.supabase import Project
from tests.contract.document import operations
from tests.contract.fuzzing import UNLIMITED, Run, User, fuzz, signed_up
from tests.database import drop
from tests.system import System, running_system

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
SECONDS_PER_EXAMPLE = 5
ENDING = {"account_delete", "notebooks_delete", "tts_credentials_delete"}
AROUND_AN_END = {"notebooks_create", "notebooks_get", "tts_credentials_put", "tts_credentials_test"}
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "errors_have_one_shape",
    "foreign_resources_are_not_found",
    "ignored_auth",
    "missing_required_header",
    "negative_data_rejection",
    "not_a_server_error",
    "object_level_authorization",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
}
OPERATIONS = {str(operation.definition["operationId"]) for operation in operations()}

pytestmark = pytest.mark.timeout(120 + SECONDS_PER_EXAMPLE * EXAMPLES)


@pytest.fixture(scope="module")
def unlimited_system(cluster_admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, whose users may call as often as they like."""
    name = f"audio_loop_fuzzed_{token_hex(4)}"
    try:
        with running_system(cluster_admin_url, name, tmp_path_factory.mktemp("fuzzed"), UNLIMITED) as running:
            yield running
    finally:
        drop(Project(cluster_admin_url, name))


@pytest.fixture(scope="module")
def users(unlimited_system: System) -> tuple[User, User]:
    """Two users who know each other's ids."""
    return signed_up(unlimited_system), signed_up(unlimited_system)


def only(operation_ids: set[str]) -> list[str]:
    return [part for each in sorted(operation_ids) for part in ("--include-operation-id", each)]


def say(capsys: pytest.CaptureFixture[str], what: str, run: Run) -> None:
    """Print the numbers of a run, although the test may pass."""
    with capsys.disabled():
        print(f"\n{what}: {run}")


def numbers(seed: int) -> list[str]:
    return ["--max-examples", str(EXAMPLES), "--seed", str(seed)]


def expect_clean(run: Run, folder: Path) -> None:
    if not run.is_clean:
        pytest.fail(f"{run.output}\nthe whole run is in {folder}", pytrace=False)


def test_nothing_that_two_users_send_breaks_the_contract(
    users: tuple[User, User], unlimited_system: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = users

    def fuzz_as(user: User, other: User, seed: int) -> Run:
        return fuzz(tmp_path / str(seed), user, other, *only(OPERATIONS - ENDING), *numbers(seed))

    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(fuzz_as, (first, second), (second, first), (SEED, SEED + 1)))
    for run, seed in zip(runs, (SEED, SEED + 1), strict=True):
        say(capsys, f"fuzzed {len(OPERATIONS - ENDING)} operations with seed {seed}", run)
        expect_clean(run, tmp_path / str(seed))
        assert set(run.checks) == CHECKS
    assert unlimited_system.stack.stopped_part() is None


def test_nothing_that_is_sent_around_a_deletion_breaks_the_contract(
    users: tuple[User, User], unlimited_system: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaving = signed_up(unlimited_system)
    deletions = ENDING - {"account_delete"} | AROUND_AN_END
    run = fuzz(tmp_path / "deletions", leaving, users[0], *only(deletions), *numbers(SEED))
    say(capsys, f"fuzzed {len(deletions)} operations around deletions", run)
    expect_clean(run, tmp_path / "deletions")
    run = fuzz(tmp_path / "account", leaving, users[0], *only({"account_delete"}), *numbers(SEED))
    say(capsys, "fuzzed the deletion of an account", run)
    expect_clean(run, tmp_path / "account")
    gone = unlimited_system.database.fetch("select 1 from public.users where id = %s", [leaving.learner.id])
    assert gone == []
