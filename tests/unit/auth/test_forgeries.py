"""What is no token, or not one of ours: garbage, and what somebody else signed."""

import hmac
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.auth import UserAuth
from tests.unit.auth.tokens import is_refused, segment
from tests.unit.token_issuer import EC, RSA, TokenIssuer


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer éàü.é.é",
        "Bearer \u0142",
        f"Bearer {'.' * 10_000}",
        "Basic dXNlcjpwYXNzd29yZA==",
    ],
    ids=lambda authorization: repr(authorization)[:30],
)
def test_what_is_no_token_is_refused_without_a_look_at_the_keys(
    users: UserAuth, issuer: TokenIssuer, authorization: str | None
) -> None:
    assert is_refused(users.user, authorization)
    assert issuer.fetches == []


@pytest.mark.parametrize(
    "header",
    [
        {},
        [],
        b"\xff\xfe",
        b"[" * 100_000,
        {"alg": "ES256"},
        {"alg": "ES256", "kid": None},
        {"alg": "ES256", "kid": 7},
        {"alg": "ES256", "kid": {"kid": EC}},
        {"alg": ["ES256"], "kid": EC},
        {"alg": None, "kid": EC},
        {"alg": "ES256", "kid": EC, "crit": ["exp"]},
        {"alg": "ES256", "kid": EC, "b64": False},
        {"alg": "RS256", "kid": EC},
    ],
    ids=lambda header: repr(header)[:40],
)
def test_a_token_with_a_strange_header_is_refused(users: UserAuth, claims: dict[str, Any], header: Any) -> None:
    assert is_refused(users.user, f"Bearer {segment(header)}.{segment(claims)}.{segment(bytes(64))}")


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{", b"null", b'"x"', b"[" * 100_000], ids=lambda data: repr(data)[:20]
)
def test_a_token_whose_payload_is_no_object_is_refused(users: UserAuth, payload: bytes) -> None:
    token = f"{segment({'alg': 'ES256', 'kid': EC})}.{segment(payload)}.{segment(bytes(64))}"
    assert is_refused(users.user, f"Bearer {token}")


def test_a_token_without_a_signature_is_refused(users: UserAuth, claims: dict[str, Any]) -> None:
    unsigned = jwt.encode(claims, "", "none", {"kid": EC})
    assert is_refused(users.user, f"Bearer {unsigned}")


def test_a_token_that_says_it_is_unsigned_but_is_signed_is_refused(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    _, payload, signature = issuer.sign(claims).split(".")
    assert is_refused(users.user, f"Bearer {segment({'alg': 'none', 'kid': EC})}.{payload}.{signature}")


@pytest.mark.parametrize("key_id", [EC, RSA])
def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], key_id: str
) -> None:
    public_key = issuer.keys[key_id].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{segment({'alg': 'HS256', 'kid': key_id})}.{segment(claims)}"
    forged = f"{signed}.{segment(hmac.digest(public_key, signed.encode(), 'sha256'))}"
    assert is_refused(users.user, f"Bearer {forged}")


@pytest.mark.parametrize("key_id", [EC, RSA])
def test_a_token_that_another_key_signed_in_the_name_of_a_known_one_is_refused(
    users: UserAuth, claims: dict[str, Any], key_id: str
) -> None:
    stranger = TokenIssuer()
    assert is_refused(users.user, f"Bearer {stranger.sign(claims, key_id)}")


def test_a_token_whose_claims_were_changed_after_signing_is_refused(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    header, _, signature = issuer.sign(claims).split(".")
    assert is_refused(users.user, f"Bearer {header}.{segment({**claims, 'sub': str(uuid4())})}.{signature}")
