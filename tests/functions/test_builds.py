"""GET /api/notebooks/{notebook_id}/builds and /api/builds/{build_id}."""

import pytest

from tests.functions.listener import Listener
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen


@pytest.mark.parametrize("path", [f"/notebooks/{UNKNOWN_ID}/builds", f"/builds/{UNKNOWN_ID}"])
def test_builds_need_a_token(anonymous: Learner, path: str) -> None:
    assert refused(anonymous.call("GET", path)) == (401, "unauthorized")


def test_a_notebook_has_no_builds_at_first(learner: Learner) -> None:
    assert learner.get(f"/notebooks/{learner.import_notebook()}/builds") == {"items": [], "next_cursor": None}


def test_builds_come_newest_first_and_the_newest_is_played(listener: Listener) -> None:
    page = listener.learner.get(f"/notebooks/{listener.notebook_id}/builds")
    assert [build["job_id"] for build in page["items"]] == [job["id"] for job in reversed(listener.jobs)]
    assert [build["is_active"] for build in page["items"]] == [True, False]
    assert page["next_cursor"] is None


def test_a_build_has_just_the_fields_of_the_contract(listener: Listener) -> None:
    build_id, job = listener.build_ids()[0], listener.jobs[1]
    build = listener.learner.get(f"/builds/{build_id}")
    assert build == {
        "id": build_id,
        "job_id": job["id"],
        "notebook_id": listener.notebook_id,
        "created_at": job["created_at"],
        "is_active": True,
    }
    assert listener.learner.get(f"/notebooks/{listener.notebook_id}")["current_build_id"] == build_id


def test_a_build_of_a_job_under_way_is_not_active(jobs_stay_queued: None, learner: Learner) -> None:  # noqa: ARG001
    job = learner.generate(learner.prepare())
    build = learner.get(f"/notebooks/{job['notebook_id']}/builds")["items"][0]
    assert (build["job_id"], build["is_active"]) == (job["id"], False)


def test_pages_hold_each_build_once(listener: Listener) -> None:
    path = f"/notebooks/{listener.notebook_id}/builds?limit=1"
    first = listener.learner.get(path)
    second = listener.learner.get(f"{path}&cursor={first['next_cursor']}")
    assert [build["id"] for build in first["items"] + second["items"]] == listener.build_ids()
    assert second["next_cursor"] is None


def test_the_cursor_of_another_notebook_is_refused(listener: Listener) -> None:
    cursor = listener.learner.get(f"/notebooks/{listener.notebook_id}/builds?limit=1")["next_cursor"]
    path = f"/notebooks/{listener.patchy_notebook_id}/builds?cursor={cursor}"
    assert invalid_fields(listener.learner.call("GET", path)) == ["query.cursor"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/notebooks/mine/builds", "path.notebook_id"),
        ("/builds/mine", "path.build_id"),
        (f"/notebooks/{UNKNOWN_ID}/builds?limit=0", "query.limit"),
        (f"/notebooks/{UNKNOWN_ID}/builds?limit=101", "query.limit"),
    ],
)
def test_what_does_not_fit_is_refused(learner: Learner, path: str, field: str) -> None:
    assert invalid_fields(learner.call("GET", path)) == [field]


def test_a_stranger_cannot_tell_a_build_from_none(listener: Listener, stranger: Learner) -> None:
    for path, missing in (
        (f"/builds/{listener.build_ids()[0]}", f"/builds/{UNKNOWN_ID}"),
        (f"/notebooks/{listener.notebook_id}/builds", f"/notebooks/{UNKNOWN_ID}/builds"),
    ):
        response = stranger.call("GET", path)
        assert refused(response) == (404, "not_found")
        assert seen(response) == seen(stranger.call("GET", missing))
