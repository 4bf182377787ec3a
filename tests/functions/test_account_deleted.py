"""DELETE /api/users/me."""

import requests
from psycopg import sql

from infra.local.stack import BUCKET
from tests.learner import Learner, refused
from tests.system import System

TABLES = ("notebooks", "phrases", "user_voices", "tts_credentials", "jobs", "builds", "audio_segments", "import_logs")


def test_with_the_account_every_row_goes_and_every_object_is_collected(system: System, learner: Learner) -> None:
    notebook_id = learner.prepare()
    system.wait(learner, learner.generate(notebook_id))
    assert len(_objects(system, learner)) == 4
    assert learner.call("DELETE", "/users/me").status_code == 204
    for table in TABLES:
        rows = sql.SQL("select from {} where user_id = %s").format(sql.Identifier("public", table))
        assert system.database.fetch(rows, [learner.id]) == [], table
    assert system.database.fetch("select from public.users where id = %s", [learner.id]) == []
    assert system.database.fetch("select from auth.users where id = %s", [learner.id]) == []
    system.database.execute(
        "update private.garbage set not_before = now() where prefix like %s", [f"audio/{learner.id}/%"]
    )
    system.sweep()
    system.until(lambda: not _objects(system, learner))


def test_a_token_of_a_deleted_account_is_good_for_nothing(learner: Learner) -> None:
    assert learner.call("DELETE", "/users/me").status_code == 204
    for method, path in (("DELETE", "/users/me"), ("GET", "/users/me"), ("GET", "/notebooks")):
        assert refused(learner.call(method, path)) == (401, "unauthorized")


def test_nobody_can_sign_in_to_a_deleted_account(system: System) -> None:
    body = {"email": "leaving@example.com", "password": "a long password"}
    account = requests.post(f"{system.app}/auth/v1/signup", json=body, timeout=10).json()
    leaving = Learner(system.app, account["user"]["id"], account["access_token"])
    assert leaving.call("DELETE", "/users/me").status_code == 204
    signed_in = requests.post(f"{system.app}/auth/v1/token?grant_type=password", json=body, timeout=10)
    assert signed_in.status_code == 400


def test_others_keep_theirs(learner: Learner, stranger: Learner) -> None:
    notebook_id = stranger.import_notebook()
    assert learner.call("DELETE", "/users/me").status_code == 204
    assert stranger.get(f"/notebooks/{notebook_id}")["name"] == "Notebook"


def test_it_needs_a_token(anonymous: Learner) -> None:
    assert refused(anonymous.call("DELETE", "/users/me")) == (401, "unauthorized")


def _objects(system: System, learner: Learner) -> list[str]:
    listing = f"{system.stack.addresses.storage}/storage/v1/b/{BUCKET}/o?prefix=audio/{learner.id}/"
    return [item["name"] for item in requests.get(listing, timeout=10).json().get("items", [])]
