"""Making, finding, renaming and deleting notebooks; what an import rejected; how much audio there is."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System


def create(learner: Learner, name: str) -> dict[str, Any]:
    notebook: dict[str, Any] = learner.expect(201, learner.call("POST", "/notebooks", {"name": name}))
    return notebook


def names(learner: Learner, query: str) -> list[str]:
    return [notebook["name"] for notebook in learner.get(f"/notebooks?{query}")["items"]]


class TestCreate:
    def test_a_new_notebook_is_empty_and_says_where_it_is(self, learner: Learner) -> None:
        response = learner.call("POST", "/notebooks", {"name": "  Podróże  "})
        notebook = learner.expect(201, response)
        assert notebook["name"] == "Podróże"
        assert response.headers["Location"] == f"/api/notebooks/{notebook['id']}"
        assert learner.get(f"/notebooks/{notebook['id']}") == notebook
        assert learner.get(f"/notebooks/{notebook['id']}/phrases")["items"] == []

    @pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "   "}, {"name": "x" * 101}, {"name": "a\x00b"}])
    def test_a_name_has_1_to_100_characters(self, learner: Learner, body: dict[str, str]) -> None:
        assert invalid_fields(learner.call("POST", "/notebooks", body)) == ["body.name"]

    def test_a_name_is_taken_whatever_its_case(self, learner: Learner, stranger: Learner) -> None:
        create(learner, "Żółw")
        assert refused(learner.call("POST", "/notebooks", {"name": "żÓŁW"})) == (409, "unique_violation")
        create(stranger, "Żółw")

    def test_of_many_at_once_with_one_name_one_is_made(self, learner: Learner) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: learner.call("POST", "/notebooks", {"name": "Once"}), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


class TestFind:
    def test_a_part_of_a_name_finds_it_whatever_the_case(self, learner: Learner) -> None:
        for name in ("Podróż służbowa", "Dom", "100% pewny", "under_score"):
            create(learner, name)
        assert names(learner, "q=SŁUŻ") == ["Podróż służbowa"]
        assert names(learner, "q=%25") == ["100% pewny"]
        assert names(learner, "q=_") == ["under_score"]
        assert names(learner, "q=nowhere") == []

    def test_notebooks_are_sorted_as_asked(self, learner: Learner) -> None:
        for name in ("b", "A", "c"):
            create(learner, name)
        assert names(learner, "sort=name&order=asc") == ["A", "b", "c"]
        assert names(learner, "sort=name&order=desc") == ["c", "b", "A"]
        assert names(learner, "sort=created_at&order=asc") == ["b", "A", "c"]
        assert names(learner, "") == ["c", "A", "b"]

    def test_pages_by_name_leave_nothing_out(self, learner: Learner) -> None:
        expected = sorted(f"{letter}{number}" for letter in "abAB" for number in range(3))
        for name in expected:
            learner.call("POST", "/notebooks", {"name": name})
        found, cursor = [], ""
        while True:
            page = learner.get(f"/notebooks?sort=name&order=asc&limit=2{cursor}")
            found += [notebook["name"] for notebook in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == ["A0", "A1", "A2", "B0", "B1", "B2"]

    @pytest.mark.parametrize("query", ["sort=id", "order=up", "limit=0", "limit=101", "q=%00"])
    def test_what_does_not_fit_is_named(self, learner: Learner, query: str) -> None:
        assert invalid_fields(learner.call("GET", f"/notebooks?{query}")) == [f"query.{query.partition('=')[0]}"]

    @pytest.mark.parametrize("other", ["sort=name", "order=asc", "q=a"])
    def test_a_cursor_is_good_for_its_own_listing_only(self, learner: Learner, other: str) -> None:
        for name in ("a1", "a2"):
            create(learner, name)
        cursor = learner.get("/notebooks?limit=1")["next_cursor"]
        assert invalid_fields(learner.call("GET", f"/notebooks?limit=1&{other}&cursor={cursor}")) == ["query.cursor"]


class TestRename:
    def test_a_renamed_notebook_has_its_new_name(self, learner: Learner) -> None:
        notebook = create(learner, "Old")
        renamed = learner.expect(200, learner.call("PATCH", f"/notebooks/{notebook['id']}", {"name": "New"}))
        assert (renamed["name"], renamed["id"]) == ("New", notebook["id"])
        assert renamed["updated_at"] > notebook["updated_at"]

    def test_it_can_change_its_own_case_but_not_take_anothers_name(self, learner: Learner) -> None:
        notebook = create(learner, "mine")
        create(learner, "other")
        assert learner.call("PATCH", f"/notebooks/{notebook['id']}", {"name": "MINE"}).status_code == 200
        taken = learner.call("PATCH", f"/notebooks/{notebook['id']}", {"name": "Other"})
        assert refused(taken) == (409, "unique_violation")

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_a_strangers_notebook_does_not_exist(self, learner: Learner, stranger: Learner, method: str) -> None:
        notebook = create(learner, "Mine")
        body = {"name": "Stolen"} if method == "PATCH" else None
        tried = stranger.call(method, f"/notebooks/{notebook['id']}", body)
        assert seen(tried) == seen(stranger.call(method, f"/notebooks/{UNKNOWN_ID}", body))
        assert refused(tried) == (404, "not_found")
        assert learner.get(f"/notebooks/{notebook['id']}") == notebook


class TestDelete:
    def test_with_a_notebook_goes_all_that_is_in_it_and_its_audio_becomes_garbage(
        self, system: System, learner: Learner
    ) -> None:
        notebook_id = learner.prepare()
        job = system.wait(learner, learner.generate(notebook_id))
        build_id = learner.get(f"/notebooks/{notebook_id}")["current_build_id"]
        assert learner.call("DELETE", f"/notebooks/{notebook_id}").status_code == 204
        for path in (f"/notebooks/{notebook_id}", f"/jobs/{job['id']}", f"/builds/{build_id}"):
            assert refused(learner.call("GET", path)) == (404, "not_found")
        garbage = system.database.fetch("select prefix from private.garbage where build_id = %s", [build_id])
        assert {row["prefix"] for row in garbage} >= {f"audio/{learner.id}/{notebook_id}/{build_id}/"}

    def test_deleting_twice_finds_nothing_the_second_time(self, learner: Learner) -> None:
        path = f"/notebooks/{create(learner, 'Gone')['id']}"
        assert [learner.call("DELETE", path).status_code for _ in range(2)] == [204, 404]


class TestImportLogs:
    def test_rejected_lines_are_kept_in_pages(self, learner: Learner) -> None:
        notebook_id = learner.import_notebook(["good ::: dobrze", "no separator", "", "a ::: b ::: c"])
        first = learner.get(f"/notebooks/{notebook_id}/import-logs?limit=1")
        second = learner.get(f"/notebooks/{notebook_id}/import-logs?limit=1&cursor={first['next_cursor']}")
        logs = [*first["items"], *second["items"]]
        assert [(log["line_no"], log["raw_text"]) for log in logs] == [(2, "no separator"), (4, "a ::: b ::: c")]
        assert all(log["reason"] for log in logs)
        assert second["next_cursor"] is None

    def test_a_strangers_are_not_there(self, learner: Learner, stranger: Learner) -> None:
        notebook_id = learner.import_notebook(["bad"])
        assert refused(stranger.call("GET", f"/notebooks/{notebook_id}/import-logs")) == (404, "not_found")


class TestAudioStatus:
    def test_it_counts_the_active_build_and_phrases_added_since(self, system: System, learner: Learner) -> None:
        notebook_id = learner.prepare()
        path = f"/notebooks/{notebook_id}/audio-status"
        before = learner.get(path)
        assert (before["build_id"], before["complete_count"], before["missing_count"]) == (None, 0, 4)
        system.wait(learner, learner.generate(notebook_id))
        body = {"en_text": "Later.", "pl_text": "Później."}
        learner.expect(201, learner.call("POST", f"/notebooks/{notebook_id}/phrases", body))
        after = learner.get(path)
        assert after == {
            "notebook_id": notebook_id,
            "build_id": learner.get(f"/notebooks/{notebook_id}")["current_build_id"],
            "complete_count": 4,
            "failed_count": 0,
            "missing_count": 4,
            "updated_at": after["updated_at"],
        }

    def test_a_strangers_is_not_there(self, learner: Learner, stranger: Learner) -> None:
        notebook_id = learner.import_notebook([])
        assert refused(stranger.call("GET", f"/notebooks/{notebook_id}/audio-status")) == (404, "not_found")
