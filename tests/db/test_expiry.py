"""What is kept for a while only."""

from datetime import timedelta

import pytest

from shared.db import expiry
from shared.db.database import Database as Connections
from tests.database import Database
from tests.db.rows import Possessions, Rows


@pytest.fixture
def own(rows: Rows) -> Possessions:
    """What one learner has; each of it was written just now."""
    return rows.possessions()


def age(database: Database, by: timedelta) -> None:
    """Let everything have been written so much earlier."""
    database.execute("update private.idempotency_keys set expires_at = expires_at - %s", [by])
    database.execute("update private.tts_key_tests set tested_at = tested_at - %s", [by])
    database.execute("update private.rate_limits set updated_at = updated_at - %s", [by])


def kept(database: Database) -> dict[str, int]:
    """How many idempotency keys, key tests and rate limits there are."""
    return database.fetch(
        """
        select
          (select count(*) from private.idempotency_keys) as idempotency_keys,
          (select count(*) from private.tts_key_tests) as key_tests,
          (select count(*) from private.rate_limits) as rate_limits
        """
    )[0]


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("by", "left"),
    [
        (timedelta(minutes=14), {"idempotency_keys": 1, "key_tests": 1, "rate_limits": 1}),
        (timedelta(minutes=15), {"idempotency_keys": 1, "key_tests": 0, "rate_limits": 1}),
        (timedelta(minutes=60), {"idempotency_keys": 1, "key_tests": 0, "rate_limits": 0}),
        (timedelta(hours=23.9), {"idempotency_keys": 1, "key_tests": 0, "rate_limits": 0}),
        (timedelta(hours=24), {"idempotency_keys": 0, "key_tests": 0, "rate_limits": 0}),
    ],
    ids=str,
)
def test_each_is_forgotten_in_its_time(
    workers: Connections, database: Database, by: timedelta, left: dict[str, int]
) -> None:
    age(database, by)

    with workers.transaction() as transaction:
        forgotten = expiry.forget_old(transaction)

    assert kept(database) == left
    assert forgotten == 3 - sum(left.values())


@pytest.mark.usefixtures("own")
def test_what_is_forgotten_is_forgotten_once(workers: Connections, database: Database) -> None:
    age(database, timedelta(days=2))

    with workers.transaction() as transaction:
        expiry.forget_old(transaction)
        assert expiry.forget_old(transaction) == 0


@pytest.mark.usefixtures("own")
def test_what_is_new_of_another_learner_stays(workers: Connections, rows: Rows, database: Database) -> None:
    age(database, timedelta(days=2))
    other = rows.possessions()

    with workers.transaction() as transaction:
        expiry.forget_old(transaction)

    assert database.fetch("select user_id from private.rate_limits") == [{"user_id": other.user}]
