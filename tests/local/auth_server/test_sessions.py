"""Refreshing a session, and signing out."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from supabase import AuthApiError
from supabase_auth.types import Session

from infra.local.auth import sessions
from tests.database import Database
from tests.local.auth_server.serving import PASSWORD, Served, bearer, refused


class TestRefreshing:
    def test_a_refresh_token_gives_a_new_pair_of_the_same_session(self, served: Served, session: Session) -> None:
        refreshed = served.client().auth.refresh_session(session.refresh_token).session

        assert refreshed is not None
        assert refreshed.refresh_token != session.refresh_token
        assert served.claims(refreshed.access_token)["session_id"] == served.claims(session.access_token)["session_id"]

    def test_two_tabs_that_refresh_at_once_get_the_same_token(self, served: Served, session: Session) -> None:
        body = {"refresh_token": session.refresh_token}
        with ThreadPoolExecutor() as pool:
            answers = list(
                pool.map(lambda _: httpx.post(f"{served.url}/token?grant_type=refresh_token", json=body), range(4))
            )

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1

    def test_a_second_use_waits_for_the_first_to_end(
        self, served: Served, session: Session, module_database: Database
    ) -> None:
        with ThreadPoolExecutor() as pool, psycopg.connect(module_database.auth_url, row_factory=dict_row) as first:
            kept = sessions.refresh(first, session.refresh_token, served.clock.now)
            second = pool.submit(served.client().auth.refresh_session, session.refresh_token)
            module_database.wait_until_someone_waits()
            first.commit()
            answer = second.result().session

        assert kept is not None
        assert answer is not None
        assert answer.refresh_token == kept.refresh_token

    def test_a_client_that_lost_the_answer_may_ask_again_later(self, served: Served, session: Session) -> None:
        first = served.client().auth.refresh_session(session.refresh_token).session
        served.clock.advance(seconds=60)
        second = served.client().auth.refresh_session(session.refresh_token).session

        assert first is not None
        assert second is not None
        assert first.refresh_token == second.refresh_token

    def test_an_older_token_is_taken_again_within_ten_seconds(self, served: Served, session: Session) -> None:
        self.use_twice(served, session)
        served.clock.advance(seconds=10)

        assert served.client().auth.refresh_session(session.refresh_token).session is not None

    def test_an_older_token_used_later_ends_the_session_for_the_thief_and_the_owner(
        self, served: Served, session: Session
    ) -> None:
        newest = self.use_twice(served, session)
        served.clock.advance(seconds=11)

        for token in (session.refresh_token, newest):
            with pytest.raises(AuthApiError) as refusal:
                served.client().auth.refresh_session(token)
            assert (refusal.value.status, refusal.value.code) == (400, "refresh_token_already_used")

    def test_other_sessions_of_the_learner_go_on_after_a_theft(
        self, served: Served, session: Session, email: str
    ) -> None:
        other = served.client().auth.sign_in_with_password({"email": email, "password": PASSWORD}).session
        assert other is not None
        self.use_twice(served, session)
        served.clock.advance(seconds=11)
        with pytest.raises(AuthApiError):
            served.client().auth.refresh_session(session.refresh_token)

        assert served.client().auth.refresh_session(other.refresh_token).session is not None

    @pytest.mark.parametrize(
        ("token", "code"),
        [("", "validation_failed"), ("unknown", "refresh_token_not_found"), ("\0", "validation_failed")],
    )
    def test_an_unknown_token_is_refused(self, served: Served, token: str, code: str) -> None:
        answer = httpx.post(f"{served.url}/token?grant_type=refresh_token", json={"refresh_token": token})

        assert refused(answer) == (400, code)

    def use_twice(self, served: Served, session: Session) -> str:
        """Refresh two times; the refresh token that is good now."""
        client = served.client()
        client.auth.refresh_session(session.refresh_token)
        newest = client.auth.refresh_session().session
        assert newest is not None
        return newest.refresh_token


class TestSigningOut:
    def test_it_ends_every_session_of_the_learner(self, served: Served, session: Session, email: str) -> None:
        client = served.client()
        client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        client.auth.sign_out()

        with pytest.raises(AuthApiError) as refusal:
            served.client().auth.refresh_session(session.refresh_token)
        assert (refusal.value.status, refusal.value.code) == (400, "refresh_token_not_found")

    def test_locally_it_ends_just_this_one(self, served: Served, session: Session, email: str) -> None:
        client = served.client()
        own = client.auth.sign_in_with_password({"email": email, "password": PASSWORD}).session
        assert own is not None
        client.auth.sign_out({"scope": "local"})

        assert served.client().auth.refresh_session(session.refresh_token).session is not None
        assert refused(httpx.get(f"{served.url}/user", headers=bearer(own.access_token))) == (403, "session_not_found")

    def test_of_the_others_it_ends_all_but_this_one(self, served: Served, session: Session, email: str) -> None:
        client = served.client()
        client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        client.auth.sign_out({"scope": "others"})

        with pytest.raises(AuthApiError):
            served.client().auth.refresh_session(session.refresh_token)
        assert client.auth.refresh_session().session is not None

    def test_another_scope_is_refused(self, served: Served, session: Session) -> None:
        answer = httpx.post(f"{served.url}/logout?scope=most", headers=bearer(session.access_token))

        assert refused(answer) == (400, "validation_failed")
