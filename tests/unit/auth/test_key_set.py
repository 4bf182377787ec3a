"""The published keys: fetched seldom, found again after a rotation, and our failure while they cannot be had."""

import json
import socket
from typing import Any
from uuid import uuid4

import jwt
import pytest

from shared.auth import User, UserAuth, WorkerAuth
from shared.config import UserAuthSettings
from shared.errors import AppError
from tests.unit.auth.tokens import USER_ID, is_refused
from tests.unit.token_issuer import EC, RSA, PrivateKey, TokenIssuer


def test_a_key_that_is_not_there_to_sign_with_is_not_used(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    key_set = json.loads(issuer.key_set())
    for key in key_set["keys"]:
        key["use"] = "enc" if key["kid"] == EC else "sig"
    issuer.body = json.dumps(key_set).encode()
    assert is_refused(users.user, f"Bearer {issuer.sign(claims, EC)}")
    assert users.user(f"Bearer {issuer.sign(claims, RSA)}") == User(USER_ID)


def unknown(claims: dict[str, Any], key: PrivateKey) -> str:
    """An Authorization header with a token of a key that is not published."""
    return f"Bearer {jwt.encode(claims, key, 'ES256', {'kid': str(uuid4())})}"


def test_the_key_set_is_fetched_once_for_many_tokens(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    for _ in range(5):
        users.user(f"Bearer {issuer.sign(claims)}")
    assert len(issuer.fetches) == 1


def test_unknown_keys_do_not_cause_a_fetch_each(users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]) -> None:
    for _ in range(10):
        assert is_refused(users.user, unknown(claims, issuer.keys[EC]))
    assert len(issuer.fetches) == 1


def test_a_key_that_is_new_counts_once_the_fetches_have_cooled_down(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    users.user(f"Bearer {issuer.sign(claims)}")
    issuer.keys = {EC: issuer.keys[EC]} | TokenIssuer().keys
    issuer.body = issuer.key_set().replace(EC.encode(), b"new-key")
    token = jwt.encode(claims, issuer.keys[EC], "ES256", {"kid": "new-key"})
    assert is_refused(users.user, f"Bearer {token}")

    monkeypatch.setattr(users._verifier._keys, "cooldown_duration", 0)
    assert users.user(f"Bearer {token}") == User(USER_ID)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"{}"),
        (302, b""),
        (200, b"<html>"),
        (200, b"\xff\xfe\xfd"),
        (200, b""),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [{"kty": "unheard-of"}]}'),
    ],
)
def test_a_key_set_that_cannot_be_read_is_our_failure_and_not_the_learners(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], status: int, body: bytes
) -> None:
    issuer.status, issuer.body = status, body
    with pytest.raises(AppError) as failure:
        users.user(f"Bearer {issuer.sign(claims)}")
    assert failure.value.status == 500


def test_a_key_server_that_is_down_is_our_failure(issuer: TokenIssuer, claims: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
    users = UserAuth(UserAuthSettings(supabase_url=origin))
    with pytest.raises(AppError) as failure:
        users.user(f"Bearer {issuer.sign({**claims, 'iss': f'{origin}/auth/v1'})}")
    assert failure.value.status == 500


def test_known_keys_go_on_to_count_while_the_key_server_is_down(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    users.user(f"Bearer {issuer.sign(claims)}")
    issuer.status = 503
    assert users.user(f"Bearer {issuer.sign(claims)}") == User(USER_ID)


def test_learners_are_accepted_again_once_the_key_server_is_back(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    issuer.status = 503
    assert not is_refused(users.user, f"Bearer {issuer.sign(claims)}")
    issuer.status = 200
    assert users.user(f"Bearer {issuer.sign(claims)}") == User(USER_ID)


def test_a_task_whose_key_set_cannot_be_read_is_to_come_again(
    workers: WorkerAuth, issuer: TokenIssuer, task_claims: dict[str, Any]
) -> None:
    issuer.status = 503
    with pytest.raises(AppError) as failure:
        workers.verify(f"Bearer {issuer.sign(task_claims, RSA)}")
    assert failure.value.status == 500
