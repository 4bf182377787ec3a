"""Rate limits: a token bucket for each learner and kind of request."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from shared.auth import User
from shared.db import notebooks
from shared.db.database import Database as Connections
from shared.db.database import spend
from shared.errors import DatabaseFailed, NotFound, RateLimited
from tests.database import Database

# Of the bucket "generate": 3 per minute, 5 at once.
BURST = 5
SECONDS_PER_TOKEN = 20


@pytest.fixture
def user(database: Database) -> User:
    """A learner who has asked for nothing yet."""
    return User(database.create_user())


def take(api: Connections, user: User) -> None:
    """Take a token; raises RateLimited."""
    with api.as_user(user, "generate"):
        pass


def empty(api: Connections, user: User) -> None:
    """Take a whole burst of tokens."""
    for _ in range(BURST):
        take(api, user)


def is_let_through(api: Connections, user: User) -> bool:
    try:
        take(api, user)
    except RateLimited:
        return False
    return True


def wait_until_all_wait(database: Database, count: int, seconds: float = 10) -> None:
    """Return once so many transactions in this database wait for another's lock."""
    deadline = time.monotonic() + seconds
    waiting: LiteralString = """
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    """
    while len(database.fetch(waiting)) < count:
        assert time.monotonic() < deadline, f"fewer than {count} wait for a lock"
        time.sleep(0.01)


def tokens(database: Database, user: User) -> float:
    bucket = database.fetch("select tokens from private.rate_limits where user_id = %s", [user.id])
    remaining: float = bucket[0]["tokens"]
    return remaining


def let_time_pass(database: Database, seconds: float) -> None:
    database.execute("update private.rate_limits set updated_at = updated_at - %s", [timedelta(seconds=seconds)])


def test_a_burst_is_let_through_and_the_next_request_is_told_how_long_to_wait(api: Connections, user: User) -> None:
    for _ in range(BURST):
        take(api, user)

    with pytest.raises(RateLimited) as refusal:
        take(api, user)

    assert refusal.value.retry_after_seconds is not None
    assert SECONDS_PER_TOKEN - 5 < refusal.value.retry_after_seconds <= SECONDS_PER_TOKEN


def test_a_token_comes_back_with_time_and_only_one(api: Connections, database: Database, user: User) -> None:
    empty(api, user)

    let_time_pass(database, seconds=SECONDS_PER_TOKEN)

    take(api, user)
    with pytest.raises(RateLimited):
        take(api, user)


def test_part_of_the_time_shortens_the_wait(api: Connections, database: Database, user: User) -> None:
    empty(api, user)

    let_time_pass(database, seconds=SECONDS_PER_TOKEN - 5)

    with pytest.raises(RateLimited) as refusal:
        take(api, user)
    assert refusal.value.retry_after_seconds is not None
    assert 0 < refusal.value.retry_after_seconds <= 5


def test_a_bucket_never_holds_more_than_a_burst(api: Connections, database: Database, user: User) -> None:
    take(api, user)

    let_time_pass(database, seconds=24 * 3600)

    empty(api, user)
    with pytest.raises(RateLimited):
        take(api, user)


def test_a_clock_that_goes_back_takes_no_tokens_away(api: Connections, database: Database, user: User) -> None:
    take(api, user)

    let_time_pass(database, seconds=-3600)

    take(api, user)


def test_a_refused_request_does_not_put_off_the_next_token(api: Connections, database: Database, user: User) -> None:
    empty(api, user)
    let_time_pass(database, seconds=SECONDS_PER_TOKEN / 2)
    with pytest.raises(RateLimited):
        take(api, user)

    let_time_pass(database, seconds=SECONDS_PER_TOKEN / 2)

    take(api, user)


def test_of_many_at_once_as_many_as_there_are_tokens_are_let_through(
    api: Connections, database: Database, user: User
) -> None:
    take(api, user)

    with ThreadPoolExecutor(8) as pool:
        with psycopg.connect(database.admin_url) as other:
            other.execute("select from private.rate_limits for update")
            takers = [pool.submit(is_let_through, api, user) for _ in range(8)]
            wait_until_all_wait(database, len(takers))
        passed = [taker.result() for taker in takers]

    assert passed.count(True) == BURST - 1


def test_each_learner_has_buckets_of_their_own(api: Connections, database: Database, user: User) -> None:
    empty(api, user)

    take(api, User(database.create_user()))


def test_each_kind_of_request_has_a_bucket_of_its_own(api: Connections, user: User) -> None:
    empty(api, user)

    with api.as_user(user, "read"), api.as_user(user, "test"):
        pass


def test_a_request_that_is_refused_costs_a_token_all_the_same(api: Connections, user: User) -> None:
    for _ in range(BURST):
        with pytest.raises(NotFound), api.as_user(user, "generate") as transaction:
            notebooks.get(transaction, uuid4())

    with pytest.raises(RateLimited):
        take(api, user)


def test_a_request_that_postgres_refuses_costs_a_token_all_the_same(
    api: Connections, database: Database, user: User
) -> None:
    with pytest.raises(DatabaseFailed), api.as_user(user, "generate") as transaction:
        transaction.execute("select 1 / 0")

    assert tokens(database, user) == BURST - 1


def test_a_token_can_be_spent_later_in_a_transaction(api: Connections, database: Database, user: User) -> None:
    with suppress(NotFound), api.as_user(user) as transaction:
        spend(transaction, "generate")
        notebooks.get(transaction, uuid4())

    assert tokens(database, user) == BURST - 1


def test_what_was_refused_for_want_of_a_token_leaves_nothing(api: Connections, database: Database, user: User) -> None:
    empty(api, user)

    with suppress(RateLimited), api.as_user(user) as transaction:
        notebooks.add(transaction, "Too soon")
        spend(transaction, "generate")

    assert database.fetch("select from public.notebooks") == []
