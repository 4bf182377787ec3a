"""Fixtures of the security tests."""

from collections.abc import Iterator

import pytest

from tests.database import Database
from tests.security.world import World, peopled

pytest.register_assert_rewrite("tests.security.attacks", "tests.security.calls")


@pytest.fixture(scope="module")
def world(module_database: Database) -> Iterator[World]:
    """A database with the rows of several learners."""
    with peopled(module_database) as world:
        yield world
