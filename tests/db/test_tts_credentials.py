"""The learner's encrypted key: stored only after a test of that very key, and never overwritten by an older one."""

from datetime import timedelta

import pytest

from shared.auth import User
from shared.db import tts_credentials
from shared.db.database import Database as Connections
from shared.errors import ValidationFailed
from tests.database import Database

HMAC = b"hmac of a key"
FINGERPRINT = "SHA256:0123456789abcdef"
OTHER_FINGERPRINT = "SHA256:fedcba9876543210"


@pytest.fixture
def user(database: Database) -> User:
    """A learner without a key."""
    return User(database.create_user())


def record_test(api: Connections, user: User) -> None:
    with api.as_user(user) as transaction:
        tts_credentials.record_test(transaction, HMAC)


def store(api: Connections, user: User, encrypted: bytes = b"encrypted", fingerprint: str = FINGERPRINT) -> None:
    with api.as_user(user) as transaction:
        tts_credentials.store(transaction, HMAC, encrypted, fingerprint)


def encrypted_key(api: Connections, user: User) -> bytes | None:
    with api.as_user(user) as transaction:
        return tts_credentials.encrypted_key(transaction)


def let_time_pass(database: Database, time: timedelta) -> None:
    database.execute("update private.tts_key_tests set tested_at = tested_at - %s", [time])


def test_a_key_that_was_tested_is_stored_with_the_time_of_its_test(
    api: Connections, database: Database, user: User
) -> None:
    record_test(api, user)
    let_time_pass(database, timedelta(minutes=14))

    store(api, user)

    tested = database.fetch("select tested_at from private.tts_key_tests")[0]["tested_at"]
    with api.as_user(user) as transaction:
        state = tts_credentials.state(transaction)
    assert (state.is_configured, state.last_validated_at, state.key_fingerprint) == (True, tested, FINGERPRINT)


def test_a_key_whose_test_is_15_minutes_old_is_refused(api: Connections, database: Database, user: User) -> None:
    record_test(api, user)
    let_time_pass(database, timedelta(minutes=15))

    with pytest.raises(ValidationFailed):
        store(api, user)


def test_a_second_test_of_a_key_makes_it_new_again(api: Connections, database: Database, user: User) -> None:
    record_test(api, user)
    let_time_pass(database, timedelta(minutes=20))

    record_test(api, user)

    store(api, user)


def test_without_a_key_there_is_nothing_to_tell(api: Connections, user: User) -> None:
    with api.as_user(user) as transaction:
        assert tts_credentials.state(transaction) == tts_credentials.NOT_CONFIGURED
        assert tts_credentials.encrypted_key(transaction) is None


def test_a_key_takes_the_place_of_the_one_before(api: Connections, user: User) -> None:
    record_test(api, user)
    store(api, user)

    store(api, user, b"another", OTHER_FINGERPRINT)

    assert encrypted_key(api, user) == b"another"


def test_a_deleted_key_must_be_tested_again(api: Connections, user: User) -> None:
    record_test(api, user)
    store(api, user)

    with api.as_user(user) as transaction:
        tts_credentials.delete(transaction)

    assert encrypted_key(api, user) is None
    with pytest.raises(ValidationFailed):
        store(api, user)


def test_a_key_that_is_encrypted_anew_is_replaced(api: Connections, workers: Connections, user: User) -> None:
    record_test(api, user)
    store(api, user)

    with api.as_user(user) as transaction:
        tts_credentials.replace(transaction, b"encrypted", b"anew")
    assert encrypted_key(api, user) == b"anew"

    with workers.transaction() as transaction:
        tts_credentials.replace_of(transaction, user.id, b"anew", b"once more")
    assert encrypted_key(api, user) == b"once more"


def test_a_key_that_was_stored_meanwhile_is_not_lost(api: Connections, workers: Connections, user: User) -> None:
    record_test(api, user)
    store(api, user, b"stored meanwhile")

    with api.as_user(user) as transaction:
        tts_credentials.replace(transaction, b"encrypted", b"anew")
    with workers.transaction() as transaction:
        tts_credentials.replace_of(transaction, user.id, b"encrypted", b"anew")

    assert encrypted_key(api, user) == b"stored meanwhile"
