"""Signing up and signing in."""

from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx
import pytest
from supabase import AuthApiError, AuthWeakPasswordError
from supabase_auth.types import Session

from tests.database import Database
from tests.local.auth_server.serving import PASSWORD, Served, refused


class TestSigningUp:
    def test_a_new_learner_is_signed_in_at_once(self, served: Served, email: str) -> None:
        answer = served.client().auth.sign_up({"email": email, "password": PASSWORD, "options": {"data": {"a": 1}}})

        assert answer.session is not None
        assert answer.user is not None
        assert (answer.user.email, answer.user.user_metadata) == (email, {"a": 1})

    def test_the_projects_own_row_is_made_too(self, session: Session, module_database: Database) -> None:
        rows = module_database.fetch("select id::text from public.users where id = %s", [session.user.id])

        assert rows == [{"id": session.user.id}]

    @pytest.mark.usefixtures("session")
    def test_an_address_is_taken_whatever_its_case(self, served: Served, email: str) -> None:
        with pytest.raises(AuthApiError) as refusal:
            served.client().auth.sign_up({"email": email.upper(), "password": PASSWORD})

        assert (refusal.value.status, refusal.value.code) == (422, "user_already_exists")

    def test_an_address_is_given_once_to_many_who_want_it_at_once(self, served: Served, email: str) -> None:
        body = {"email": email, "password": PASSWORD}
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda _: httpx.post(f"{served.url}/signup", json=body), range(4)))

        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]

    def test_a_short_password_is_refused(self, served: Served, email: str) -> None:
        with pytest.raises(AuthWeakPasswordError):
            served.client().auth.sign_up({"email": email, "password": "short"})

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "bad_json"),
            (b"{", 400, "bad_json"),
            (b"[]", 400, "bad_json"),
            (b'{"email": 7, "password": "long enough"}', 400, "bad_json"),
            (b'{"email": "\\ud800@b", "password": "long enough"}', 400, "bad_json"),
            (b'{"email": "nobody", "password": "long enough"}', 400, "validation_failed"),
            (b'{"email": "a@b\\u0000", "password": "long enough"}', 400, "validation_failed"),
            (b'{"email": "nul@b", "password": "long enough", "data": {"a": "\\u0000"}}', 400, "validation_failed"),
            (b'{"email": "a@b"}', 400, "validation_failed"),
            (b'{"email": "a@b", "password": "' + b"x" * 73 + b'"}', 400, "validation_failed"),
            (b'{"password": "long enough"}', 422, "anonymous_provider_disabled"),
            (b'{"email": "' + b"x" * 70_000 + b'"}', 413, "validation_failed"),
        ],
    )
    def test_garbage_is_refused_with_a_reason(self, served: Served, body: bytes, status: int, code: str) -> None:
        assert refused(httpx.post(f"{served.url}/signup", content=body)) == (status, code)


class TestSigningIn:
    def test_the_password_opens_a_new_session(self, served: Served, session: Session, email: str) -> None:
        again = served.client().auth.sign_in_with_password({"email": email.upper(), "password": PASSWORD}).session

        assert again is not None
        assert again.user.id == session.user.id
        assert served.claims(again.access_token)["session_id"] != served.claims(session.access_token)["session_id"]

    @pytest.mark.usefixtures("session")
    def test_a_wrong_password_and_an_unknown_address_are_told_the_same(self, served: Served, email: str) -> None:
        wrong, unknown = (self.attempt(served, address) for address in (email, "nobody@example.com"))

        assert wrong.status_code == unknown.status_code == 400
        assert wrong.json() == unknown.json()
        assert wrong.json() == {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}

    @pytest.mark.usefixtures("session")
    def test_an_unknown_address_takes_as_long_as_a_wrong_password(self, served: Served, email: str) -> None:
        def seconds(address: str) -> float:
            return median(self.attempt(served, address).elapsed.total_seconds() for _ in range(5))

        assert seconds("nobody@example.com") > seconds(email) / 2

    def test_an_address_that_postgres_cannot_hold_is_refused(self, served: Served) -> None:
        assert refused(self.attempt(served, "nul\0@example.com")) == (400, "validation_failed")

    def test_clients_of_the_current_api_version_get_its_error_shape(self, served: Served) -> None:
        answer = httpx.post(
            f"{served.url}/token?grant_type=password",
            json={"email": "nobody@example.com", "password": "x"},
            headers={"X-Supabase-Api-Version": "2024-01-01"},
        )

        assert answer.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
        assert answer.headers["X-Supabase-Api-Version"] == "2024-01-01"

    @pytest.mark.parametrize("query", ["", "?grant_type=id_token"])
    def test_another_grant_is_refused(self, served: Served, query: str) -> None:
        assert refused(httpx.post(f"{served.url}/token{query}", json={})) == (400, "invalid_credentials")

    def test_an_unconfirmed_address_cannot_sign_in(self, served: Served, email: str) -> None:
        served.admin().auth.admin.create_user({"email": email, "password": PASSWORD})

        with pytest.raises(AuthApiError, match="Email not confirmed"):
            served.client().auth.sign_in_with_password({"email": email, "password": PASSWORD})

    def attempt(self, served: Served, address: str) -> httpx.Response:
        """Sign in with a password that is nobody's."""
        credentials = {"email": address, "password": "wrong password"}
        return httpx.post(f"{served.url}/token?grant_type=password", json=credentials)
