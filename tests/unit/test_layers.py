"""Imports point one way: the contracts in pyproject.toml are kept, and would be noticed if they were not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("functions", "shared", "infra")
CONTRACTS = ("Imports point one way", "dto, errors and config", "Services know no Flask", "What is deployed")
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the packages in a folder; in a process of its own, which looks there for them."""
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages that a test may break."""
    root = tmp_path_factory.mktemp("layers")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_every_contract_is_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    for contract in CONTRACTS:
        assert contract in result.stdout
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("shared/db/phrases.py", "import shared.services.paging", CONTRACTS[0]),
        ("shared/db/phrases.py", "import shared.clients.url_signer", CONTRACTS[0]),
        ("shared/clients/url_signer.py", "import shared.db.phrases", CONTRACTS[0]),
        ("shared/services/paging.py", "import shared.http.answers", CONTRACTS[0]),
        ("shared/services/paging.py", "def late():\n    import functions.jobs.main", CONTRACTS[0]),
        ("shared/dto/phrases.py", "import shared.auth", CONTRACTS[1]),
        ("shared/errors.py", "import shared.db.violations", CONTRACTS[1]),
        ("shared/services/paging.py", "def late():\n    import flask", CONTRACTS[2]),
        ("shared/services/paging.py", "from psycopg import sql", CONTRACTS[2]),
        ("shared/services/paging.py", "def late():\n    from google.cloud import storage", CONTRACTS[2]),
        ("shared/logging.py", "import infra.local.part", CONTRACTS[3]),
        ("functions/jobs/main.py", "def late():\n    import infra.local.part", CONTRACTS[3]),
    ],
)
def test_an_import_that_points_the_other_way_is_noticed(copy: Path, module: str, forbidden: str, contract: str) -> None:
    source = (copy / module).read_text(encoding="utf-8")
    try:
        (copy / module).write_text(f"{source}\n\n{forbidden}\n", encoding="utf-8")
        result = lint(copy)
    finally:
        (copy / module).write_text(source, encoding="utf-8")
    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if contract in line and line.endswith("BROKEN")]
