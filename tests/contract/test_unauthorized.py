"""Whoever is not signed in gets the same answer everywhere, whatever is wrong with the token, in the same time."""

import base64
import hashlib
import hmac
import json
import time
from statistics import median
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from infra.local.auth.keys import SigningKey
from tests.contract.calling import call
from tests.contract.document import Operation, operations
from tests.learner import UNKNOWN_ID
from tests.system import System

PROTECTED = [operation for operation in operations() if operation.definition["security"]]
ANOTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ROUNDS = 25
TIMES_AT_MOST = 3.0
"""How far the median of one kind of token may be from that of all. A busy machine alone makes it twice."""


def without_signature(claims: dict[str, Any], key_id: str) -> str:
    return jwt.encode(claims, "", "none", {"kid": key_id})


def signed_with_the_public_key(claims: dict[str, Any], jwk: dict[str, Any]) -> str:
    """HS256 with the published key as the secret, by hand, since PyJWT refuses to sign so."""
    public_key = ECAlgorithm.from_jwk(jwk)
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    secret = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": jwk["kid"]}
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
    return (signed + b"." + _base64url(hmac.digest(secret, signed, hashlib.sha256))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def good_claims(system: System) -> dict[str, Any]:
    now = int(time.time())
    issuer = f"{system.app}/auth/v1"
    learner_id = str(system.learner().id)
    return {
        "iss": issuer,
        "aud": "authenticated",
        "role": "authenticated",
        "sub": learner_id,
        "iat": now,
        "exp": now + 3600,
    }


@pytest.fixture(scope="module")
def tokens(system: System) -> dict[str, str]:
    """The Authorization header of each kind of caller that is to be refused."""
    key, claims = SigningKey.kept_in(system.home / "auth"), good_claims(system)
    jwk = key.jwks()["keys"][0]
    elsewhere = {**claims, "iss": "https://elsewhere.supabase.co/auth/v1"}
    signed_in = requests.get(f"{system.app}/api/users/me", headers=_bearer(key.sign(claims)), timeout=10)
    assert signed_in.status_code == 200, "the claims that the others are made of are good"
    made = {
        "garbage": "a.b.c",
        "a stranger": jwt.encode(elsewhere, ANOTHER_KEY, "ES256", {"kid": str(uuid4())}),
        "expired": key.sign({**claims, "exp": claims["iat"] - 1}),
        "without expiry": key.sign({name: value for name, value in claims.items() if name != "exp"}),
        "wrong aud": key.sign({**claims, "aud": "anon"}),
        "wrong iss": key.sign(elsewhere),
        "wrong role": key.sign({**claims, "role": "service_role"}),
        "a subject that is no id": key.sign({**claims, "sub": "somebody"}),
        "alg none": without_signature(claims, jwk["kid"]),
        "HS256 with the public key": signed_with_the_public_key(claims, jwk),
        "another key under a known id": jwt.encode(claims, ANOTHER_KEY, "ES256", {"kid": jwk["kid"]}),
        "an unknown key id": jwt.encode(claims, ANOTHER_KEY, "ES256", {"kid": str(uuid4())}),
        "no key id": jwt.encode(claims, ANOTHER_KEY, "ES256"),
        "a deleted account": key.sign({**claims, "sub": UNKNOWN_ID}),
    }
    return {"nothing": "", **{kind: f"Bearer {token}" for kind, token in made.items()}}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("operation", PROTECTED, ids=str)
def test_whatever_is_wrong_with_the_token_the_answer_is_the_same(
    system: System, tokens: dict[str, str], operation: Operation
) -> None:
    with requests.Session() as session:
        answers = {kind: call(system.app, operation, header, session=session) for kind, header in tokens.items()}
    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(tokens, 401)
    assert {answer.content for answer in answers.values()} == {
        b'{"error":{"code":"unauthorized","message":"Sign in: the request needs a valid access token.","details":{}}}'
    }
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    names = {tuple(sorted(answer.headers)) for answer in answers.values()}
    assert len(names) == 1, "the headers tell one from another"


def test_every_refusal_takes_the_same_time(system: System, tokens: dict[str, str]) -> None:
    operation = next(each for each in PROTECTED if str(each) == "GET /api/users/me")
    # The token of a deleted account is good, and only Postgres knows that the account is gone.
    kinds = [kind for kind in tokens if kind != "a deleted account"]
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    with requests.Session() as session:
        for turn in range(ROUNDS):
            for kind in [*kinds[turn % len(kinds) :], *kinds[: turn % len(kinds)]]:
                began = time.perf_counter()
                call(system.app, operation, tokens[kind], session=session)
                seconds[kind].append(time.perf_counter() - began)
    usual = median(each for times in seconds.values() for each in times)
    ratios = {kind: median(times) / usual for kind, times in seconds.items()}
    assert max(ratios.values()) < TIMES_AT_MOST, ratios
    assert min(ratios.values()) > 1 / TIMES_AT_MOST, ratios
