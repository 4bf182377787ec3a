"""Adding, changing, deleting and reordering phrases."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System

THREE = ["One. ::: Jeden.", "Two. ::: Dwa.", "Three. ::: Trzy."]
TEXTS = {"en_text": "New.", "pl_text": "Nowe."}


def phrases(learner: Learner, notebook_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = learner.get(f"/notebooks/{notebook_id}/phrases?limit=100")["items"]
    return found


def order(learner: Learner, notebook_id: str) -> list[tuple[int, str]]:
    return [(phrase["position"], phrase["en_text"]) for phrase in phrases(learner, notebook_id)]


class TestCreate:
    def test_without_a_position_a_phrase_goes_last(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        phrase = learner.expect(201, learner.call("POST", f"/notebooks/{notebook_id}/phrases", TEXTS))
        assert (phrase["position"], phrase["en_text"], phrase["tokens"]) == (40, "New.", None)
        assert phrases(learner, notebook_id)[-1] == phrase

    def test_with_one_it_goes_there_and_keeps_its_tokens(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        body = {**TEXTS, "position": 15, "tokens": [{"text": "New", "start": 0}]}
        phrase = learner.expect(201, learner.call("POST", f"/notebooks/{notebook_id}/phrases", body))
        assert phrase["tokens"] == body["tokens"]
        assert [position for position, _ in order(learner, notebook_id)] == [10, 15, 20, 30]

    def test_a_position_is_taken_once(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        taken = learner.call("POST", f"/notebooks/{notebook_id}/phrases", {**TEXTS, "position": 20})
        assert refused(taken) == (409, "unique_violation")

    def test_behind_the_last_possible_position_there_is_none(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook([])
        path = f"/notebooks/{notebook_id}/phrases"
        assert learner.call("POST", path, {**TEXTS, "position": 2**31 - 1}).status_code == 201
        assert refused(learner.call("POST", path, TEXTS)) == (409, "unique_violation")

    def test_many_at_once_all_go_last_one_after_the_other(self, learner: Learner) -> None:
        path = f"/notebooks/{learner.import_notebook([])}/phrases"
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: learner.expect(201, learner.call("POST", path, TEXTS)), range(8)))
        assert sorted(answer["position"] for answer in answers) == list(range(10, 90, 10))

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"en_text": ""}, "en_text"),
            ({"en_text": "   "}, "en_text"),
            ({"pl_text": "x" * 2001}, "pl_text"),
            ({"pl_text": "a\x00b"}, "pl_text"),
            ({"position": "10"}, "position"),
            ({"position": 1.5}, "position"),
            ({"position": 2**31}, "position"),
            ({"tokens": {"deep": ["\x00"]}}, "tokens"),
            ({"id": UNKNOWN_ID}, "id"),
        ],
    )
    def test_what_does_not_fit_is_named(self, learner: Learner, change: dict[str, Any], field: str) -> None:
        notebook_id = learner.import_notebook([])
        response = learner.call("POST", f"/notebooks/{notebook_id}/phrases", {**TEXTS, **change})
        assert invalid_fields(response)[0].startswith(f"body.{field}")
        assert phrases(learner, notebook_id) == []

    def test_a_notebook_holds_100(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook([f"{number} ::: {number}" for number in range(100)])
        response = learner.call("POST", f"/notebooks/{notebook_id}/phrases", TEXTS)
        assert refused(response) == (413, "limit_exceeded")

    def test_a_strangers_notebook_does_not_exist(self, learner: Learner, stranger: Learner) -> None:
        notebook_id = learner.import_notebook([])
        tried = stranger.call("POST", f"/notebooks/{notebook_id}/phrases", TEXTS)
        assert seen(tried) == seen(stranger.call("POST", f"/notebooks/{UNKNOWN_ID}/phrases", TEXTS))
        assert refused(tried) == (404, "not_found")


class TestChange:
    def test_what_is_named_changes_and_the_rest_stays(self, learner: Learner) -> None:
        phrase = phrases(learner, learner.import_notebook(THREE))[1]
        changed = learner.expect(200, learner.call("PATCH", f"/phrases/{phrase['id']}", {"pl_text": "Dwójka."}))
        assert changed == {**phrase, "pl_text": "Dwójka.", "updated_at": changed["updated_at"]}
        assert changed["updated_at"] > phrase["updated_at"]

    def test_tokens_can_be_set_and_taken_away(self, learner: Learner) -> None:
        path = f"/phrases/{phrases(learner, learner.import_notebook(THREE))[0]['id']}"
        assert learner.expect(200, learner.call("PATCH", path, {"tokens": ["One"]}))["tokens"] == ["One"]
        assert learner.expect(200, learner.call("PATCH", path, {"tokens": None}))["tokens"] is None

    def test_a_taken_position_is_refused(self, learner: Learner) -> None:
        phrase = phrases(learner, learner.import_notebook(THREE))[0]
        response = learner.call("PATCH", f"/phrases/{phrase['id']}", {"position": 30})
        assert refused(response) == (409, "unique_violation")

    @pytest.mark.parametrize("body", [{}, {"en_text": None}, {"position": None}, {"notebook_id": UNKNOWN_ID}])
    def test_what_does_not_fit_is_refused(self, learner: Learner, body: dict[str, Any]) -> None:
        phrase = phrases(learner, learner.import_notebook(THREE))[0]
        assert refused(learner.call("PATCH", f"/phrases/{phrase['id']}", body)) == (400, "validation_error")

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_a_strangers_phrase_does_not_exist(self, learner: Learner, stranger: Learner, method: str) -> None:
        notebook_id = learner.import_notebook(THREE)
        before = phrases(learner, notebook_id)
        body = {"en_text": "Stolen."} if method == "PATCH" else None
        tried = stranger.call(method, f"/phrases/{before[0]['id']}", body)
        assert seen(tried) == seen(stranger.call(method, f"/phrases/{UNKNOWN_ID}", body))
        assert refused(tried) == (404, "not_found")
        assert phrases(learner, notebook_id) == before


class TestDelete:
    def test_a_deleted_phrase_plays_no_more_and_its_audio_becomes_garbage(
        self, system: System, learner: Learner
    ) -> None:
        notebook_id = learner.prepare(THREE)
        system.wait(learner, learner.generate(notebook_id))
        phrase = phrases(learner, notebook_id)[0]
        assert [learner.call("DELETE", f"/phrases/{phrase['id']}").status_code for _ in range(2)] == [204, 404]
        played = [item["phrase"]["en_text"] for item in learner.manifest(notebook_id)["sequence"]]
        assert played == ["Two.", "Three."]
        build_id = learner.get(f"/notebooks/{notebook_id}")["current_build_id"]
        garbage = system.database.fetch("select prefix from private.garbage where build_id = %s", [build_id])
        assert [row["prefix"] for row in garbage] == [f"audio/{learner.id}/{notebook_id}/{build_id}/{phrase['id']}/"]


class TestReorder:
    def test_phrases_swap(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        first, _, third = phrases(learner, notebook_id)
        moves = [{"phrase_id": first["id"], "position": 30}, {"phrase_id": third["id"], "position": 10}]
        response = learner.call("POST", f"/notebooks/{notebook_id}/phrases:reorder", {"moves": moves})
        assert learner.expect(200, response) == {"updated": 2}
        assert order(learner, notebook_id) == [(10, "Three."), (20, "Two."), (30, "One.")]

    def test_a_position_of_a_phrase_that_stays_is_taken_and_nothing_moves(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        before = order(learner, notebook_id)
        first, second, _ = phrases(learner, notebook_id)
        moves = [{"phrase_id": first["id"], "position": 5}, {"phrase_id": second["id"], "position": 30}]
        response = learner.call("POST", f"/notebooks/{notebook_id}/phrases:reorder", {"moves": moves})
        assert refused(response) == (409, "unique_violation")
        assert order(learner, notebook_id) == before

    def test_duplicates_foreign_phrases_and_nothing_at_all_are_refused_and_nothing_moves(
        self, learner: Learner, stranger: Learner
    ) -> None:
        notebook_id = learner.import_notebook(THREE)
        before = order(learner, notebook_id)
        first, second, _ = phrases(learner, notebook_id)
        foreign = phrases(stranger, stranger.import_notebook(THREE))[0]
        of_another_notebook = phrases(learner, learner.import_notebook(THREE, name="Other"))[0]
        for moves in (
            [],
            [{"phrase_id": first["id"], "position": 1}, {"phrase_id": first["id"], "position": 2}],
            [{"phrase_id": first["id"], "position": 1}, {"phrase_id": second["id"], "position": 1}],
            [{"phrase_id": first["id"], "position": 1}, {"phrase_id": foreign["id"], "position": 2}],
            [{"phrase_id": first["id"], "position": 1}, {"phrase_id": of_another_notebook["id"], "position": 2}],
            [{"phrase_id": first["id"], "position": 1}, {"phrase_id": UNKNOWN_ID, "position": 2}],
        ):
            response = learner.call("POST", f"/notebooks/{notebook_id}/phrases:reorder", {"moves": moves})
            assert invalid_fields(response)[0].startswith("body.moves"), moves
        assert order(learner, notebook_id) == before

    def test_a_strangers_notebook_does_not_exist(self, learner: Learner, stranger: Learner) -> None:
        notebook_id = learner.import_notebook(THREE)
        moves = [{"phrase_id": phrases(learner, notebook_id)[0]["id"], "position": 1}]
        response = stranger.call("POST", f"/notebooks/{notebook_id}/phrases:reorder", {"moves": moves})
        assert refused(response) == (404, "not_found")
