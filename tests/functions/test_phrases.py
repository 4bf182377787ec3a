"""GET /api/notebooks/{notebook_id}/phrases."""

from typing import Any

import pytest

from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System

THIRTY = [f"Line {number}. ::: Wiersz {number}." for number in range(1, 31)]


def phrases(learner: Learner, notebook_id: str, query: str = "") -> list[dict[str, Any]]:
    """All phrases, in pages of seven."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = learner.get(f"/notebooks/{notebook_id}/phrases?limit=7{query}{cursor}")
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == 7
        cursor = f"&cursor={page['next_cursor']}"


def positions(found: list[dict[str, Any]]) -> list[int]:
    return [phrase["position"] for phrase in found]


def test_phrases_need_a_token(anonymous: Learner) -> None:
    assert refused(anonymous.call("GET", f"/notebooks/{UNKNOWN_ID}/phrases")) == (401, "unauthorized")


def test_a_phrase_has_just_the_fields_of_the_contract(learner: Learner) -> None:
    notebook_id = learner.import_notebook(["Hello. ::: Cześć."])
    answer = learner.get(f"/notebooks/{notebook_id}/phrases")
    phrase = answer["items"][0]
    assert answer == {"items": [phrase], "next_cursor": None}
    assert phrase["created_at"].endswith("Z")
    assert phrase == {
        "id": phrase["id"],
        "position": 10,
        "en_text": "Hello.",
        "pl_text": "Cześć.",
        "tokens": None,
        "created_at": phrase["created_at"],
        "updated_at": phrase["created_at"],
    }


def test_an_empty_notebook_has_no_phrases(learner: Learner) -> None:
    notebook_id = learner.import_notebook([])
    assert learner.get(f"/notebooks/{notebook_id}/phrases") == {"items": [], "next_cursor": None}


def test_phrases_come_by_position(learner: Learner) -> None:
    notebook_id = learner.import_notebook(THIRTY)
    assert positions(phrases(learner, notebook_id)) == list(range(10, 301, 10))


def test_phrases_come_by_position_backwards(learner: Learner) -> None:
    notebook_id = learner.import_notebook(THIRTY)
    assert positions(phrases(learner, notebook_id, "&sort=position&order=desc")) == list(range(300, 9, -10))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_phrases_of_one_moment_come_once_each(learner: Learner, order: str) -> None:
    notebook_id = learner.import_notebook(THIRTY)
    found = phrases(learner, notebook_id, f"&sort=created_at&order={order}")
    assert sorted(positions(found)) == list(range(10, 301, 10))
    ids = [phrase["id"] for phrase in found]
    assert ids == sorted(ids, reverse=order == "desc")


@pytest.mark.parametrize(("order", "expected"), [("asc", [30, 20, 10]), ("desc", [10, 20, 30])])
def test_phrases_come_by_when_they_were_made(system: System, learner: Learner, order: str, expected: list[int]) -> None:
    notebook_id = learner.import_notebook(["One. ::: Raz.", "Two. ::: Dwa.", "Three. ::: Trzy."])
    system.database.execute(
        "update public.phrases set created_at = now() - position * interval '1 s' where notebook_id = %s", [notebook_id]
    )
    assert positions(phrases(learner, notebook_id, f"&sort=created_at&order={order}")) == expected


def test_a_page_goes_on_behind_what_was_seen_though_phrases_come_and_go(system: System, learner: Learner) -> None:
    notebook_id = learner.import_notebook(THIRTY)
    first = learner.get(f"/notebooks/{notebook_id}/phrases?limit=2")
    system.database.execute("delete from public.phrases where notebook_id = %s and position in (10, 20)", [notebook_id])
    system.database.execute(
        """
        insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
        values (%s, %s, 15, 'Before.', 'Przed.')
        """,
        [learner.id, notebook_id],
    )
    second = learner.get(f"/notebooks/{notebook_id}/phrases?limit=2&cursor={first['next_cursor']}")
    assert positions(second["items"]) == [30, 40]


@pytest.mark.parametrize("sort", ["sort=created_at", "order=desc"])
def test_the_cursor_of_another_order_is_refused(learner: Learner, sort: str) -> None:
    notebook_id = learner.import_notebook(THIRTY)
    cursor = learner.get(f"/notebooks/{notebook_id}/phrases")["next_cursor"]
    response = learner.call("GET", f"/notebooks/{notebook_id}/phrases?{sort}&cursor={cursor}")
    assert invalid_fields(response) == ["query.cursor"]


def test_the_cursor_of_another_notebook_is_refused(learner: Learner) -> None:
    notebook_id, other_id = learner.import_notebook(THIRTY, "One"), learner.import_notebook(THIRTY, "Two")
    cursor = learner.get(f"/notebooks/{notebook_id}/phrases")["next_cursor"]
    response = learner.call("GET", f"/notebooks/{other_id}/phrases?cursor={cursor}")
    assert invalid_fields(response) == ["query.cursor"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=en_text", "query.sort"),
        ("order=up", "query.order"),
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("cursor=nonsense", "query.cursor"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(learner: Learner, query: str, field: str) -> None:
    notebook_id = learner.import_notebook()
    assert invalid_fields(learner.call("GET", f"/notebooks/{notebook_id}/phrases?{query}")) == [field]


def test_an_id_that_is_no_uuid_is_refused(learner: Learner) -> None:
    assert invalid_fields(learner.call("GET", "/notebooks/mine/phrases")) == ["path.notebook_id"]


def test_a_stranger_cannot_tell_a_notebook_from_none(learner: Learner, stranger: Learner) -> None:
    notebook_id = learner.import_notebook()
    response = stranger.call("GET", f"/notebooks/{notebook_id}/phrases")
    assert refused(response) == (404, "not_found")
    assert seen(response) == seen(stranger.call("GET", f"/notebooks/{UNKNOWN_ID}/phrases"))
