"""Idempotency keys: a request that is repeated gets the first answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.auth import User
from shared.db import idempotency
from shared.db.database import Database as Connections
from shared.db.database import Transaction
from shared.db.idempotency import RepeatableRequest, StoredAnswer
from shared.errors import DatabaseFailed, IdempotencyMismatch, NotFound, RequestInProgress
from tests.database import Database

ANSWER = StoredAnswer(201, "/api/notebooks/1", b'{"notebook":{}}')


@pytest.fixture
def user(database: Database) -> User:
    """A learner who has asked for nothing yet."""
    return User(database.create_user())


def new_request() -> RepeatableRequest:
    return RepeatableRequest("import", uuid4(), b"sha256 of the request")


@contextmanager
def claimed(api: Connections, user: User, request: RepeatableRequest) -> Iterator[Transaction]:
    """A transaction in which the request is in progress."""
    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, request) is None
        yield transaction


def answer(api: Connections, user: User, request: RepeatableRequest) -> None:
    """Answer a request for the first time."""
    with claimed(api, user, request) as transaction:
        idempotency.store(transaction, request, ANSWER)


def outcome(api: Connections, user: User, request: RepeatableRequest) -> str:
    """What becomes of a request that is repeated."""
    try:
        with api.as_user(user) as transaction:
            if idempotency.claim(transaction, request):
                return "replayed"
            idempotency.store(transaction, request, ANSWER)
            return "claimed"
    except RequestInProgress:
        return "in progress"


def test_a_new_key_is_claimed_and_has_no_answer(api: Connections, user: User) -> None:
    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, new_request()) is None


def test_a_repeat_gets_the_first_answer_byte_for_byte(api: Connections, user: User) -> None:
    request = new_request()
    answer(api, user, request)

    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, request) == ANSWER


def test_a_different_request_under_the_same_key_is_refused(api: Connections, user: User) -> None:
    request = new_request()
    answer(api, user, request)

    with pytest.raises(IdempotencyMismatch), api.as_user(user) as transaction:
        idempotency.claim(transaction, replace(request, sha256=b"another"))


def test_a_second_request_is_refused_while_the_first_is_in_progress(api: Connections, user: User) -> None:
    request = new_request()

    with claimed(api, user, request), pytest.raises(RequestInProgress), api.as_user(user) as transaction:
        idempotency.claim(transaction, request)


def test_of_many_at_once_one_claims_the_key_and_no_other_goes_on(api: Connections, user: User) -> None:
    request = new_request()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: outcome(api, user, request), range(16)))

    assert outcomes.count("claimed") == 1
    assert set(outcomes) <= {"claimed", "replayed", "in progress"}


def test_a_request_that_is_rolled_back_leaves_the_key_free(api: Connections, database: Database, user: User) -> None:
    request = new_request()
    with suppress(NotFound), claimed(api, user, request) as transaction:
        idempotency.store(transaction, request, ANSWER)
        raise NotFound

    assert database.fetch("select from private.idempotency_keys") == []
    with claimed(api, user, request):
        pass


def test_a_request_that_is_killed_leaves_the_key_free(api: Connections, database: Database, user: User) -> None:
    request = new_request()
    with suppress(DatabaseFailed), claimed(api, user, request) as transaction:
        idempotency.store(transaction, request, ANSWER)
        database.execute("select pg_terminate_backend(%s)", [transaction.info.backend_pid])
        transaction.execute("select 1")

    with claimed(api, user, request):
        pass


def test_a_key_is_one_learners(api: Connections, database: Database, user: User) -> None:
    request = new_request()
    answer(api, user, request)

    with api.as_user(User(database.create_user())) as transaction:
        assert idempotency.claim(transaction, request) is None


def test_two_learners_may_use_the_same_key_at_once(api: Connections, database: Database, user: User) -> None:
    request = new_request()

    with claimed(api, user, request), claimed(api, User(database.create_user()), request):
        pass


def test_a_key_is_one_operations(api: Connections, user: User) -> None:
    request = new_request()
    answer(api, user, request)

    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, replace(request, operation="generate-rebuild")) is None


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(hours=23.9), True), (timedelta(hours=24), False)])
def test_an_answer_is_kept_for_24_hours(
    api: Connections, database: Database, user: User, age: timedelta, *, is_kept: bool
) -> None:
    request = new_request()
    answer(api, user, request)

    database.execute("update private.idempotency_keys set expires_at = expires_at - %s", [age])

    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, request) == (ANSWER if is_kept else None)


def test_an_expired_key_can_be_used_for_another_request(api: Connections, database: Database, user: User) -> None:
    request = new_request()
    answer(api, user, request)
    database.execute("update private.idempotency_keys set expires_at = now()")

    other = replace(request, sha256=b"another")
    answer(api, user, other)

    with api.as_user(user) as transaction:
        assert idempotency.claim(transaction, other) == ANSWER
