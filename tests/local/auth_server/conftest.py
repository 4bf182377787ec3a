"""An auth server for the tests of this folder, and a learner who has just signed up."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from supabase_auth.types import Session

from tests.database import Database
from tests.local.auth_server.serving import PASSWORD, Served, serving


@pytest.fixture(scope="module")
def served(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server, on a database of the module."""
    with serving(module_database.auth_url, tmp_path_factory.mktemp("keys")) as served:
        yield served


@pytest.fixture
def email() -> str:
    """An address of this test alone."""
    return f"{uuid4()}@example.com"


@pytest.fixture
def session(served: Served, email: str) -> Session:
    """The session of the learner with that address."""
    session = served.client().auth.sign_up({"email": email, "password": PASSWORD}).session
    assert session is not None
    return session
