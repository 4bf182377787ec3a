"""Fixtures of the database tests."""

from collections.abc import Iterator

import pytest

from shared.db.database import Database as Connections
from tests.database import Database
from tests.db.logins import connections_of
from tests.db.rows import Rows


@pytest.fixture
def rows(database: Database) -> Rows:
    """Rows in the database of this test."""
    return Rows(database)


@pytest.fixture
def api(database: Database) -> Iterator[Connections]:
    """What an API function uses to reach the database of this test."""
    with connections_of(database.api_url) as connections:
        yield connections


@pytest.fixture
def workers(database: Database) -> Iterator[Connections]:
    """What a worker uses to reach the database of this test."""
    with connections_of(database.worker_url) as connections:
        yield connections
