"""What holds for every answer."""

import httpx
from supabase_auth.types import Session

from tests.local.auth_server.serving import APP_ORIGIN, Served, bearer


class TestTheHttpSide:
    def test_the_app_may_call_it_from_a_browser(self, served: Served) -> None:
        sent = {"apikey", "authorization", "content-type", "x-client-info", "x-supabase-api-version"}
        preflight = {
            "Origin": APP_ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": ",".join(sorted(sent)),
        }

        answer = httpx.options(f"{served.url}/token?grant_type=password", headers=preflight)

        allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert (answer.headers["Access-Control-Allow-Origin"], allowed) == (APP_ORIGIN, sent)

    def test_a_page_of_another_origin_gets_no_cors_header(self, served: Served) -> None:
        answer = httpx.get(f"{served.url}/health", headers={"Origin": "https://evil.example"})

        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_the_app_can_read_a_refusal(self, served: Served) -> None:
        answer = httpx.get(f"{served.url}/user", headers={"Origin": APP_ORIGIN})

        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, APP_ORIGIN)

    def test_answers_about_a_person_are_not_cached(self, served: Served, session: Session) -> None:
        answer = httpx.get(f"{served.url}/user", headers=bearer(session.access_token))

        assert answer.headers["Cache-Control"] == "no-store"

    def test_it_says_that_it_lives_and_what_it_can(self, served: Served) -> None:
        assert httpx.get(f"{served.url}/health").json()["name"] == "GoTrue"
        assert httpx.get(f"{served.url}/settings").json()["external"]["email"] is True

    def test_an_unknown_path_and_a_wrong_method_are_refused_in_json(self, served: Served) -> None:
        assert httpx.get(f"{served.url}/nowhere").json()["code"] == 404
        wrong = httpx.get(f"{served.url}/signup")
        assert (wrong.json()["code"], set(wrong.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})
