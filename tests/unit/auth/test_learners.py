"""Which learners are accepted: the token says who they are, whose it is and until when."""

import time
from typing import Any

import pytest

from shared.auth import User, UserAuth
from shared.config import UserAuthSettings
from tests.unit.auth.tokens import USER_ID, changed, is_refused
from tests.unit.token_issuer import EC, RSA, TokenIssuer


@pytest.mark.parametrize("key_id", [EC, RSA])
def test_a_learner_is_who_the_token_says(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], key_id: str
) -> None:
    assert users.user(f"Bearer {issuer.sign(claims, key_id)}") == User(USER_ID)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_may_be_in_any_case(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], scheme: str
) -> None:
    assert users.user(scheme + issuer.sign(claims)) == User(USER_ID)


def test_a_subject_in_capitals_is_the_same_learner(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    token = issuer.sign({**claims, "sub": str(USER_ID).upper()})
    assert users.user(f"Bearer {token}").claims["sub"] == str(USER_ID)


def test_postgres_is_told_the_learner_and_the_role_and_nothing_else() -> None:
    assert User(USER_ID).claims == {"sub": str(USER_ID), "role": "authenticated"}


def test_a_slash_at_the_end_of_the_address_of_supabase_does_not_matter(
    issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    users = UserAuth(UserAuthSettings(supabase_url=f"{issuer.origin}/"))
    assert users.user(f"Bearer {issuer.sign(claims)}") == User(USER_ID)


def test_the_key_set_is_where_supabase_publishes_it(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    users.user(f"Bearer {issuer.sign(claims)}")
    assert issuer.fetches == ["/auth/v1/.well-known/jwks.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.supabase.co/auth/v1"},
        {"iss": None},
        {"aud": "anon"},
        {"aud": []},
        {"aud": None},
        {"role": "anon"},
        {"role": "service_role"},
        {"role": ["authenticated"]},
        {"role": None},
        {"exp": 1_700_000_000},
        {"exp": "soon"},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "nobody"},
        {"sub": USER_ID.hex},
        {"sub": f"{{{USER_ID}}}"},
        {"sub": f"{USER_ID}\n"},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_learner_with_a_wrong_claim_is_refused(
    users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any], change: dict[str, Any]
) -> None:
    token = issuer.sign(changed(claims, change))
    assert is_refused(users.user, f"Bearer {token}")


def test_a_token_ends_in_the_second_it_names(users: UserAuth, issuer: TokenIssuer, claims: dict[str, Any]) -> None:
    assert is_refused(users.user, f"Bearer {issuer.sign({**claims, 'exp': int(time.time())})}")
