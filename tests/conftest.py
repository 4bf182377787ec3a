"""Fixtures that many tests share: a database server, and databases on it.

With DATABASE_ADMIN_URL set, the whole suite runs on that server instead of the embedded one.
"""

import os
from collections.abc import Iterator
from secrets import token_hex

import pytest

from infra.local.postgres import PostgresServer
from infra.local.supabase import Project, open_project
from tests.database import Database, copy_of, drop
from tests.system import System, running_system


@pytest.fixture(scope="session")
def embedded_admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's URL of an embedded server of this test run."""
    with PostgresServer(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server.admin_url


@pytest.fixture(scope="session")
def cluster_admin_url(request: pytest.FixtureRequest) -> str:
    """The superuser's URL of the server that the suite runs on."""
    given = os.environ.get("DATABASE_ADMIN_URL")
    url: str = given or request.getfixturevalue("embedded_admin_url")
    return url


@pytest.fixture(scope="session")
def template(cluster_admin_url: str) -> Iterator[Project]:
    """A migrated database that nobody connects to: the others are copies of it."""
    name = f"audio_loop_test_{token_hex(4)}"
    try:
        yield open_project(cluster_admin_url, name)
    finally:
        drop(Project(cluster_admin_url, name))


@pytest.fixture
def database(template: Project) -> Iterator[Database]:
    """A fresh migrated database of this test alone."""
    with copy_of(template) as copy:
        yield copy


@pytest.fixture(scope="module")
def module_database(template: Project) -> Iterator[Database]:
    """A migrated database that the tests of one module share, for those that mostly read."""
    with copy_of(template) as copy:
        yield copy


@pytest.fixture(scope="session")
def system(cluster_admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole local system, for all tests that talk to it over the wire; each makes learners of its own."""
    name = f"audio_loop_system_{token_hex(4)}"
    try:
        with running_system(cluster_admin_url, name, tmp_path_factory.mktemp("system")) as running:
            yield running
    finally:
        drop(Project(cluster_admin_url, name))
