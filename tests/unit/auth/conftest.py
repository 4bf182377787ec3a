"""Somebody who signs tokens, and what accepts those of learners and of tasks."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared.auth import UserAuth, WorkerAuth
from shared.config import UserAuthSettings
from tests.unit.auth.tokens import ACCOUNT, AUDIENCE, USER_ID, worker_auth
from tests.unit.token_issuer import EC, RSA, PrivateKey, TokenIssuer, new_key, publishing


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    """An ECDSA and an RSA key, made once since that takes its time."""
    return {key_id: new_key(key_id) for key_id in (EC, RSA)}


@pytest.fixture
def issuer(keys: dict[str, PrivateKey]) -> Iterator[TokenIssuer]:
    """Somebody who publishes both keys."""
    with publishing(TokenIssuer(keys=dict(keys))) as issuer:
        yield issuer


@pytest.fixture
def users(issuer: TokenIssuer) -> UserAuth:
    """Accepts learners' tokens of this issuer."""
    return UserAuth(UserAuthSettings(supabase_url=issuer.origin))


@pytest.fixture
def workers(issuer: TokenIssuer) -> WorkerAuth:
    """Accepts tokens for the synthesize worker that this issuer signed in Google's name."""
    return worker_auth(issuer, "synthesize")


@pytest.fixture
def claims(issuer: TokenIssuer) -> dict[str, Any]:
    """Claims of a learner's token."""
    now = int(time.time())
    return {
        "iss": f"{issuer.origin}/auth/v1",
        "aud": "authenticated",
        "role": "authenticated",
        "sub": str(USER_ID),
        "iat": now,
        "exp": now + 60,
        "email": "ala@example.com",
    }


@pytest.fixture
def task_claims() -> dict[str, Any]:
    """Claims of a token that Cloud Tasks brings."""
    now = int(time.time())
    return {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "azp": "1234567890",
        "sub": "1234567890",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 60,
    }
