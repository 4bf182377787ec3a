"""The account, for its owner and for the administrator."""

from datetime import timedelta

import httpx
import pytest
from supabase import AuthApiError
from supabase_auth.types import Session

from infra.local.auth import service_key
from tests.database import Database
from tests.local.auth_server.serving import PASSWORD, Served, bearer, refused, serving


class TestTheAccount:
    def test_its_owner_sees_it(self, served: Served, session: Session, email: str) -> None:
        answer = served.client().auth.get_user(session.access_token)

        assert answer is not None
        assert (answer.user.id, answer.user.email) == (session.user.id, email)

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({}, (401, "no_authorization")),
            ({"Authorization": "Basic x"}, (401, "no_authorization")),
            (bearer("garbage"), (403, "bad_jwt")),
        ],
    )
    def test_nobody_else_does(self, served: Served, headers: dict[str, str], expected: tuple[int, str]) -> None:
        assert refused(httpx.get(f"{served.url}/user", headers=headers)) == expected

    def test_a_token_of_another_key_opens_nothing(
        self, session: Session, module_database: Database, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with serving(module_database.auth_url, tmp_path_factory.mktemp("other")) as other:
            answer = httpx.get(f"{other.url}/user", headers=bearer(session.access_token))

        assert refused(answer) == (403, "bad_jwt")

    def test_an_expired_token_opens_nothing(self, served: Served, session: Session) -> None:
        expired = served.server.dev_token(session.user.id, timedelta(minutes=1))

        assert refused(httpx.get(f"{served.url}/user", headers=bearer(expired))) == (403, "bad_jwt")

    def test_the_service_key_is_nobodys_account(self, served: Served) -> None:
        key = service_key(served.keys, served.public_url)

        assert refused(httpx.get(f"{served.url}/user", headers=bearer(key))) == (403, "bad_jwt")

    def test_metadata_are_merged_and_null_removes(self, served: Served, email: str) -> None:
        client = served.client()
        client.auth.sign_up({"email": email, "password": PASSWORD, "options": {"data": {"a": 1, "b": 2}}})

        answer = client.auth.update_user({"data": {"b": None, "c": 3}})

        assert answer.user.user_metadata == {"a": 1, "c": 3}

    def test_a_new_password_replaces_the_old_one_and_ends_other_sessions(
        self, served: Served, session: Session, email: str
    ) -> None:
        client = served.client()
        client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        client.auth.update_user({"password": "another long one"})

        assert refused(httpx.get(f"{served.url}/user", headers=bearer(session.access_token))) == (
            403,
            "session_not_found",
        )
        with pytest.raises(AuthApiError):
            served.client().auth.sign_in_with_password({"email": email, "password": PASSWORD})
        assert client.auth.refresh_session().session is not None

    def test_the_same_password_is_not_a_new_one(self, served: Served, session: Session) -> None:
        answer = httpx.put(f"{served.url}/user", json={"password": PASSWORD}, headers=bearer(session.access_token))

        assert refused(answer) == (422, "same_password")

    @pytest.mark.usefixtures("session")
    def test_the_address_may_change_but_not_to_anothers(self, served: Served, email: str) -> None:
        client = served.client()
        client.auth.sign_up({"email": f"other-{email}", "password": PASSWORD})

        assert client.auth.update_user({"email": f"new-{email}"}).user.email == f"new-{email}"
        with pytest.raises(AuthApiError) as refusal:
            client.auth.update_user({"email": email})
        assert refusal.value.code == "email_exists"


class TestTheAdministrator:
    def test_deletes_an_account_with_its_sessions_and_the_projects_rows(
        self, served: Served, session: Session, module_database: Database
    ) -> None:
        served.admin().auth.admin.delete_user(session.user.id)

        assert module_database.fetch("select from public.users where id = %s", [session.user.id]) == []
        assert refused(httpx.get(f"{served.url}/user", headers=bearer(session.access_token))) == (403, "user_not_found")
        with pytest.raises(AuthApiError) as refusal:
            served.client().auth.refresh_session(session.refresh_token)
        assert (refusal.value.status, refusal.value.code) == (400, "refresh_token_not_found")

    def test_is_told_when_the_account_is_gone_already(self, served: Served, session: Session) -> None:
        served.admin().auth.admin.delete_user(session.user.id)

        with pytest.raises(AuthApiError) as refusal:
            served.admin().auth.admin.delete_user(session.user.id)
        assert (refusal.value.status, refusal.value.code) == (404, "user_not_found")

    def test_makes_an_account_that_can_sign_in(self, served: Served, email: str) -> None:
        made = served.admin().auth.admin.create_user(
            {"email": email, "password": PASSWORD, "email_confirm": True, "user_metadata": {"a": 1}}
        )

        answer = served.client().auth.sign_in_with_password({"email": email, "password": PASSWORD})
        assert answer.user is not None
        assert (answer.user.id, answer.user.user_metadata) == (made.user.id, {"a": 1})

    def test_makes_an_account_that_nobody_can_sign_in_to(self, served: Served, email: str) -> None:
        served.admin().auth.admin.create_user({"email": email, "email_confirm": True})

        for password in ("", "None", PASSWORD):
            answer = httpx.post(f"{served.url}/token?grant_type=password", json={"email": email, "password": password})
            assert refused(answer) == (400, "invalid_credentials")

    def test_sees_any_account(self, served: Served, session: Session, email: str) -> None:
        assert served.admin().auth.admin.get_user_by_id(session.user.id).user.email == email

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_is_not_a_learner(self, served: Served, session: Session, method: str) -> None:
        url = f"{served.url}/admin/users/{session.user.id}"

        assert refused(httpx.request(method, url, headers=bearer(session.access_token))) == (403, "not_admin")

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_is_not_anonymous(self, served: Served, session: Session, method: str) -> None:
        url = f"{served.url}/admin/users/{session.user.id}"

        assert refused(httpx.request(method, url)) == (401, "no_authorization")

    def test_gets_404_for_what_is_no_id(self, served: Served) -> None:
        key = service_key(served.keys, served.public_url)

        assert refused(httpx.delete(f"{served.url}/admin/users/me", headers=bearer(key))) == (404, "user_not_found")
