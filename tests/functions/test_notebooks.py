"""GET /api/notebooks and /api/notebooks/{notebook_id}."""

import pytest

from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System


def names(learner: Learner, path: str = "/notebooks") -> list[str]:
    return [notebook["name"] for notebook in learner.get(path)["items"]]


@pytest.mark.parametrize("path", ["/notebooks", f"/notebooks/{UNKNOWN_ID}"])
def test_notebooks_need_a_token(anonymous: Learner, path: str) -> None:
    assert refused(anonymous.call("GET", path)) == (401, "unauthorized")


def test_a_learner_without_notebooks_has_an_empty_list(learner: Learner) -> None:
    assert learner.get("/notebooks") == {"items": [], "next_cursor": None}


def test_a_notebook_has_just_the_fields_of_the_contract(learner: Learner) -> None:
    notebook_id = learner.import_notebook(name="Mine")
    notebook = learner.get(f"/notebooks/{notebook_id}")
    assert notebook["created_at"].endswith("Z")
    assert notebook == {
        "id": notebook_id,
        "name": "Mine",
        "current_build_id": None,
        "last_generate_job_id": None,
        "created_at": notebook["created_at"],
        "updated_at": notebook["created_at"],
    }
    assert learner.get("/notebooks") == {"items": [notebook], "next_cursor": None}


def test_the_notebook_that_changed_last_comes_first(system: System, learner: Learner) -> None:
    for name in ("First", "Second", "Third"):
        learner.import_notebook(name=name)
    assert names(learner) == ["Third", "Second", "First"]
    system.database.execute(
        "update public.notebooks set name = 'Renamed' where user_id = %s and name = 'First'", [learner.id]
    )
    assert names(learner) == ["Renamed", "Third", "Second"]


def test_a_stranger_sees_nothing_in_the_list(learner: Learner, stranger: Learner) -> None:
    learner.import_notebook()
    assert names(stranger) == []


def test_a_stranger_cannot_tell_a_notebook_from_none(learner: Learner, stranger: Learner) -> None:
    notebook_id = learner.import_notebook()
    response = stranger.call("GET", f"/notebooks/{notebook_id}")
    assert refused(response) == (404, "not_found")
    assert seen(response) == seen(stranger.call("GET", f"/notebooks/{UNKNOWN_ID}"))


def test_an_id_that_is_no_uuid_is_refused(learner: Learner) -> None:
    assert invalid_fields(learner.call("GET", "/notebooks/mine")) == ["path.notebook_id"]


def test_pages_hold_each_notebook_once(learner: Learner) -> None:
    for number in range(5):
        learner.import_notebook(name=f"Notebook {number}")
    first = learner.get("/notebooks?limit=2")
    second = learner.get(f"/notebooks?limit=2&cursor={first['next_cursor']}")
    third = learner.get(f"/notebooks?limit=2&cursor={second['next_cursor']}")
    assert [len(page["items"]) for page in (first, second, third)] == [2, 2, 1]
    assert third["next_cursor"] is None
    assert first["items"] + second["items"] + third["items"] == learner.get("/notebooks")["items"]


def test_there_is_no_page_behind_the_last_notebook(learner: Learner) -> None:
    learner.import_notebook(name="One")
    learner.import_notebook(name="Two")
    assert learner.get("/notebooks?limit=2")["next_cursor"] is None


def test_a_page_goes_on_behind_what_was_seen_though_notebooks_come_and_go(system: System, learner: Learner) -> None:
    for name in ("A", "B", "C", "D"):
        learner.import_notebook(name=name)
    first = learner.get("/notebooks?limit=2")
    system.database.execute("delete from public.notebooks where user_id = %s and name = 'C'", [learner.id])
    learner.import_notebook(name="New")
    assert names(learner, f"/notebooks?limit=2&cursor={first['next_cursor']}") == ["B", "A"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5"])
def test_a_limit_is_1_to_100(learner: Learner, limit: str) -> None:
    assert invalid_fields(learner.call("GET", f"/notebooks?limit={limit}")) == ["query.limit"]


def test_a_page_has_25_notebooks_unless_asked_otherwise(system: System, learner: Learner) -> None:
    system.database.execute(
        "insert into public.notebooks (user_id, name) select %s, 'Number ' || n from generate_series(1, 30) n",
        [learner.id],
    )
    assert len(names(learner)) == 25
    assert len(names(learner, "/notebooks?limit=100")) == 30


def cursor(learner: Learner, path: str = "/notebooks?limit=1") -> str:
    """A cursor that leads on."""
    learner.import_notebook(["One. ::: Raz.", "Two. ::: Dwa."], "One")
    learner.import_notebook(["One. ::: Raz.", "Two. ::: Dwa."], "Two")
    found: str = learner.get(path)["next_cursor"]
    return found


@pytest.mark.parametrize("forged", ["nonsense", "", "W10", "W10.c2lnbmF0dXJl"])
def test_a_cursor_that_was_made_up_is_refused(learner: Learner, forged: str) -> None:
    assert invalid_fields(learner.call("GET", f"/notebooks?cursor={forged}")) == ["query.cursor"]


def test_a_cursor_with_a_changed_letter_is_refused(learner: Learner) -> None:
    genuine = cursor(learner)
    forged = genuine[:5] + ("A" if genuine[5] != "A" else "B") + genuine[6:]
    assert invalid_fields(learner.call("GET", f"/notebooks?cursor={forged}")) == ["query.cursor"]


def test_the_cursor_of_another_learner_is_refused(learner: Learner, stranger: Learner) -> None:
    assert invalid_fields(stranger.call("GET", f"/notebooks?cursor={cursor(learner)}")) == ["query.cursor"]


def test_the_cursor_of_another_listing_is_refused(learner: Learner) -> None:
    genuine = cursor(learner)
    notebook_id = learner.get("/notebooks")["items"][0]["id"]
    response = learner.call("GET", f"/notebooks/{notebook_id}/phrases?cursor={genuine}")
    assert invalid_fields(response) == ["query.cursor"]
