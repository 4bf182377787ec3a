"""Access tokens, and the DEV token."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from supabase_auth.types import Session

from infra.local.auth import accounts, service_key
from infra.local.auth.accounts import Account
from shared.auth import UserAuth
from shared.config import UserAuthSettings
from shared.errors import Unauthorized
from tests.database import Database
from tests.local.auth_server.serving import Served, serving


class TestAccessTokens:
    def test_the_published_key_verifies_the_claims_that_supabase_gives(
        self, served: Served, session: Session, email: str
    ) -> None:
        claims = served.claims(session.access_token)

        signed_in = int(served.clock.now.timestamp())
        assert claims.pop("session_id")
        assert claims == {
            "iss": served.url,
            "aud": "authenticated",
            "role": "authenticated",
            "sub": session.user.id,
            "email": email,
            "phone": "",
            "iat": signed_in,
            "exp": signed_in + 3600,
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": signed_in}],
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {},
            "is_anonymous": False,
        }

    def test_the_official_client_verifies_them_itself(self, served: Served, session: Session) -> None:
        claims = served.client().auth.get_claims(session.access_token)

        assert claims is not None
        assert claims["claims"]["sub"] == session.user.id

    def test_our_functions_accept_them(self, served: Served, session: Session) -> None:
        user = UserAuth(UserAuthSettings(supabase_url=served.public_url)).user(f"Bearer {session.access_token}")

        assert str(user.id) == session.user.id

    def test_our_functions_do_not_take_the_service_key_for_a_learner(self, served: Served) -> None:
        key = service_key(served.keys, served.public_url)

        with pytest.raises(Unauthorized):
            UserAuth(UserAuthSettings(supabase_url=served.public_url)).user(f"Bearer {key}")

    def test_they_outlive_a_restart(self, served: Served, module_database: Database) -> None:
        with serving(module_database.auth_url, served.keys) as restarted:
            keys = httpx.get(f"{restarted.url}/.well-known/jwks.json").json()

        assert keys == httpx.get(f"{served.url}/.well-known/jwks.json").json()

    def test_only_the_owner_may_read_the_key(self, served: Served) -> None:
        assert [file.stat().st_mode & 0o777 for file in served.keys.iterdir()] == [0o600]

    def test_the_published_key_holds_no_private_half(self, served: Served) -> None:
        [key] = httpx.get(f"{served.url}/.well-known/jwks.json").json()["keys"]

        assert set(key) == {"kty", "crv", "x", "y", "alg", "use", "key_ops", "kid"}


class TestTheDevToken:
    def test_makes_its_account_and_opens_it(self, served: Served) -> None:
        user_id = uuid4()

        token = served.server.dev_token(user_id, timedelta(minutes=10))

        assert served.claims(token)["sub"] == str(user_id)
        answer = served.client().auth.get_user(token)
        assert answer is not None
        assert answer.user.id == str(user_id)

    def test_is_of_the_account_that_is_there(self, served: Served, session: Session, email: str) -> None:
        token = served.server.dev_token(session.user.id, timedelta(minutes=10))

        assert served.claims(token)["email"] == email

    def test_waits_for_another_request_that_makes_the_account(
        self, served: Served, email: str, module_database: Database
    ) -> None:
        new = Account.new(uuid4(), email, served.clock.now)
        with ThreadPoolExecutor() as pool, psycopg.connect(module_database.auth_url, row_factory=dict_row) as first:
            accounts.find_or_create(first, new)
            token = pool.submit(served.server.dev_token, new.id, timedelta(minutes=10))
            module_database.wait_until_someone_waits()
            first.commit()

            assert served.claims(token.result())["email"] == email
