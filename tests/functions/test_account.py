"""The account of the learner, the health of the system, and whose token counts."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.auth.keys import SigningKey
from tests.learner import Learner, refused
from tests.system import System


def test_anyone_may_ask_for_the_health(anonymous: Learner) -> None:
    health = anonymous.get("/health")
    assert datetime.now(UTC) - datetime.fromisoformat(health.pop("time")) < timedelta(seconds=10)
    assert health == {"status": "ok", "db": "ok"}


def test_a_bad_token_does_not_keep_anyone_from_asking_for_the_health(anonymous: Learner) -> None:
    anonymous.token = "nonsense"
    assert anonymous.get("/health")["status"] == "ok"


def test_me_is_the_id_and_since_when(learner: Learner) -> None:
    me = learner.get("/users/me")
    assert me.keys() == {"id", "created_at"}
    assert me["id"] == str(learner.id)
    assert me["created_at"].endswith("Z")
    assert datetime.now(UTC) - datetime.fromisoformat(me["created_at"]) < timedelta(seconds=60)


def test_me_is_the_same_twice(learner: Learner) -> None:
    assert learner.get("/users/me") == learner.get("/users/me")


def test_the_first_call_makes_the_row_that_the_sign_up_did_not(system: System, learner: Learner) -> None:
    system.database.execute("delete from public.users where id = %s", [learner.id])
    assert learner.get("/users/me")["id"] == str(learner.id)
    assert system.database.fetch("select from public.users where id = %s", [learner.id])


def test_the_token_of_a_deleted_account_is_refused(system: System, learner: Learner) -> None:
    system.database.execute("delete from auth.users where id = %s", [learner.id])
    assert refused(learner.call("GET", "/users/me")) == (401, "unauthorized")


def test_a_refusal_asks_for_a_token(anonymous: Learner) -> None:
    response = anonymous.call("GET", "/users/me")
    assert response.json() == {
        "error": {
            "code": "unauthorized",
            "message": "Sign in: the request needs a valid access token.",
            "details": {},
        }
    }
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a.b.c", "Bearer nonsense", "Basic bGVhcm5lcjpwdw=="])
def test_what_is_no_token_is_refused(anonymous: Learner, header: str) -> None:
    response = anonymous.call("GET", "/users/me", headers={"Authorization": header})
    assert refused(response) == (401, "unauthorized")


def test_a_token_in_another_scheme_is_refused(learner: Learner) -> None:
    response = learner.call("GET", "/users/me", headers={"Authorization": f"Token {learner.token}"})
    assert refused(response) == (401, "unauthorized")


@pytest.fixture
def claims(system: System, learner: Learner) -> dict[str, Any]:
    """Claims of a token that is accepted."""
    now = int(time.time())
    return {
        "iss": f"{system.app}/auth/v1",
        "aud": "authenticated",
        "role": "authenticated",
        "sub": str(learner.id),
        "iat": now,
        "exp": now + 60,
    }


@pytest.fixture
def key(system: System) -> SigningKey:
    """The key that signs the tokens of this system."""
    return SigningKey.kept_in(system.home / "auth")


def test_a_token_with_the_right_claims_is_accepted(anonymous: Learner, key: SigningKey, claims: dict[str, Any]) -> None:
    anonymous.token = key.sign(claims)
    assert anonymous.get("/users/me")["id"] == claims["sub"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iss": "https://elsewhere.supabase.co/auth/v1"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"role": "service_role"},
        {"role": "anon"},
        {"role": None},
        {"sub": "nobody"},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    anonymous: Learner, key: SigningKey, claims: dict[str, Any], wrong: dict[str, Any]
) -> None:
    anonymous.token = key.sign({name: value for name, value in {**claims, **wrong}.items() if value is not None})
    assert refused(anonymous.call("GET", "/users/me")) == (401, "unauthorized")


def test_a_token_that_another_key_signed_is_refused(
    anonymous: Learner, key: SigningKey, claims: dict[str, Any]
) -> None:
    key_id = key.jwks()["keys"][0]["kid"]
    anonymous.token = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": key_id})
    assert refused(anonymous.call("GET", "/users/me")) == (401, "unauthorized")


def test_a_token_that_names_an_unknown_key_is_refused(anonymous: Learner, claims: dict[str, Any]) -> None:
    anonymous.token = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": str(uuid4())})
    assert refused(anonymous.call("GET", "/users/me")) == (401, "unauthorized")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_public_key_signature_is_refused(
    anonymous: Learner, key: SigningKey, claims: dict[str, Any], algorithm: str
) -> None:
    published = key.jwks()["keys"][0]
    secret = "" if algorithm == "none" else f"{published['x']}{published['y']}"
    anonymous.token = jwt.encode(claims, secret, algorithm, {"kid": published["kid"]})
    assert refused(anonymous.call("GET", "/users/me")) == (401, "unauthorized")
