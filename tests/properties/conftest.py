"""Which examples are tried: the same in every run, or with HYPOTHESIS_PROFILE=explore many new ones."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pydantic import SecretStr

from shared.config import DatabaseSettings
from shared.db.database import Database as AppDatabase
from tests.database import Database
from tests.learner import Learner
from tests.system import System

settings.register_profile("fixed", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=2_000, database=None, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="module")
def app_database(module_database: Database) -> Iterator[AppDatabase]:
    """The database as functions use it."""
    database = AppDatabase(DatabaseSettings(database_url=SecretStr(module_database.api_url)))
    yield database
    database.close()


@pytest.fixture
def learner(system: System) -> Learner:
    """A learner to whom nothing belongs yet."""
    return system.learner()


@pytest.fixture(scope="module")
def anybody(system: System) -> Learner:
    """A learner whom the tests of one module share, for requests that change nothing."""
    return system.learner()
