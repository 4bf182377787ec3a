"""GET /api/notebooks/{notebook_id}/audio-segments and /api/audio-segments/{audio_segment_id}."""

from typing import Any

import pytest

from tests.functions.listener import SLOTS, Listener
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen
from tests.system import System

UNKNOWN_LIST = f"/notebooks/{UNKNOWN_ID}/audio-segments"


def segments(listener: Listener, query: str = "", notebook_id: str = "") -> list[dict[str, Any]]:
    path = f"/notebooks/{notebook_id or listener.notebook_id}/audio-segments?{query}"
    items: list[dict[str, Any]] = listener.learner.get(path)["items"]
    return items


def places(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(segment["phrase_id"], segment["voice_slot"]) for segment in found]


@pytest.mark.parametrize("path", [UNKNOWN_LIST, f"/audio-segments/{UNKNOWN_ID}"])
def test_segments_need_a_token(anonymous: Learner, path: str) -> None:
    assert refused(anonymous.call("GET", path)) == (401, "unauthorized")


def test_a_notebook_has_no_segments_at_first(learner: Learner) -> None:
    notebook_id = learner.import_notebook()
    assert learner.get(f"/notebooks/{notebook_id}/audio-segments") == {"items": [], "next_cursor": None}


def test_a_complete_segment_has_just_the_fields_of_the_contract(listener: Listener) -> None:
    segment = segments(listener)[0]
    build_id, phrase_id = listener.build_ids()[0], listener.phrase_ids(listener.notebook_id)[0]
    assert segment == {
        "id": segment["id"],
        "phrase_id": phrase_id,
        "voice_slot": "EN1",
        "build_id": build_id,
        "path": f"audio/{listener.learner.id}/{listener.notebook_id}/{build_id}/{phrase_id}/EN1.mp3",
        "duration_ms": segment["duration_ms"],
        "size_bytes": segment["size_bytes"],
        "sample_rate_hz": 22050,
        "bitrate_kbps": 64,
        "status": "complete",
        "error_code": None,
        "word_timings": segment["word_timings"],
        "is_active": True,
        "created_at": segment["created_at"],
        "updated_at": segment["updated_at"],
    }
    assert segment["duration_ms"] > 100
    assert segment["size_bytes"] > 1000
    assert [timing["text"] for timing in segment["word_timings"]] == ["Three"]
    assert listener.learner.get(f"/audio-segments/{segment['id']}") == segment


def test_a_failed_segment_says_why_and_nothing_more(listener: Listener) -> None:
    failed = segments(listener, "status=failed", listener.patchy_notebook_id)
    assert [segment["voice_slot"] for segment in failed] == ["EN2"] * 3
    segment = listener.learner.get(f"/audio-segments/{failed[0]['id']}")
    assert segment == failed[0]
    assert segment["error_code"] == "voice_not_found"
    assert (segment["duration_ms"], segment["size_bytes"], segment["word_timings"]) == (None, None, None)
    assert "error_details" not in segment


def test_segments_come_in_the_order_they_are_played(listener: Listener) -> None:
    phrase_ids = listener.phrase_ids(listener.notebook_id)
    assert places(segments(listener)) == [(phrase_id, slot) for phrase_id in phrase_ids for slot in SLOTS]


def test_only_segments_of_the_active_build_are_listed(listener: Listener) -> None:
    assert {segment["build_id"] for segment in segments(listener)} == {listener.build_ids()[0]}


def test_a_segment_of_a_replaced_build_is_there_and_not_active(system: System, listener: Listener) -> None:
    replaced = system.database.fetch(
        "select id from public.audio_segments where build_id = %s limit 1", [listener.build_ids()[1]]
    )[0]["id"]
    assert listener.learner.get(f"/audio-segments/{replaced}")["is_active"] is False


def test_segments_of_a_job_under_way_are_not_listed(
    system: System,
    learner: Learner,
    jobs_stay_queued: None,  # noqa: ARG001  it holds the queue
) -> None:
    notebook_id = learner.prepare()
    learner.generate(notebook_id)
    assert learner.get(f"/notebooks/{notebook_id}/audio-segments")["items"] == []
    missing = system.database.fetch("select id from public.audio_segments where notebook_id = %s", [notebook_id])
    segment = learner.get(f"/audio-segments/{missing[0]['id']}")
    assert (segment["status"], segment["is_active"], segment["duration_ms"]) == ("missing", False, None)


def test_pages_go_on_in_the_order_they_are_played(listener: Listener) -> None:
    path = f"/notebooks/{listener.notebook_id}/audio-segments?limit=5"
    found, cursor = [], ""
    for size in (5, 5, 2):
        page = listener.learner.get(f"{path}{cursor}")
        assert len(page["items"]) == size
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert found == segments(listener)


def test_segments_can_be_asked_for_by_phrase(listener: Listener) -> None:
    phrase_id = listener.phrase_ids(listener.notebook_id)[1]
    assert places(segments(listener, f"phrase_id={phrase_id}")) == [(phrase_id, slot) for slot in SLOTS]


def test_segments_can_be_asked_for_by_slot(listener: Listener) -> None:
    phrase_ids = listener.phrase_ids(listener.notebook_id)
    assert places(segments(listener, "voice_slot=EN2")) == [(phrase_id, "EN2") for phrase_id in phrase_ids]


@pytest.mark.parametrize(
    ("status", "slots"), [("complete", ["EN1", "EN3", "PL"] * 3), ("failed", ["EN2"] * 3), ("missing", [])]
)
def test_segments_can_be_asked_for_by_status(listener: Listener, status: str, slots: list[str]) -> None:
    found = segments(listener, f"status={status}", listener.patchy_notebook_id)
    assert [segment["voice_slot"] for segment in found] == slots


def test_what_is_asked_for_must_hold_together(listener: Listener) -> None:
    phrase_id = listener.phrase_ids(listener.patchy_notebook_id)[0]
    query = f"phrase_id={phrase_id}&voice_slot=PL&status=complete"
    assert places(segments(listener, query, listener.patchy_notebook_id)) == [(phrase_id, "PL")]


def test_a_phrase_of_another_notebook_has_no_segments_here(listener: Listener) -> None:
    assert segments(listener, f"phrase_id={listener.phrase_ids(listener.patchy_notebook_id)[0]}") == []


def test_the_cursor_of_another_filter_is_refused(listener: Listener) -> None:
    path = f"/notebooks/{listener.notebook_id}/audio-segments"
    cursor = listener.learner.get(f"{path}?voice_slot=EN1&limit=1")["next_cursor"]
    assert invalid_fields(listener.learner.call("GET", f"{path}?cursor={cursor}")) == ["query.cursor"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/notebooks/mine/audio-segments", "path.notebook_id"),
        ("/audio-segments/mine", "path.audio_segment_id"),
        (f"{UNKNOWN_LIST}?phrase_id=mine", "query.phrase_id"),
        (f"{UNKNOWN_LIST}?voice_slot=EN4", "query.voice_slot"),
        (f"{UNKNOWN_LIST}?status=done", "query.status"),
        (f"{UNKNOWN_LIST}?limit=0", "query.limit"),
    ],
)
def test_what_does_not_fit_is_refused(learner: Learner, path: str, field: str) -> None:
    assert invalid_fields(learner.call("GET", path)) == [field]


def test_a_stranger_cannot_tell_a_segment_from_none(listener: Listener, stranger: Learner) -> None:
    for path, missing in (
        (f"/audio-segments/{segments(listener)[0]['id']}", f"/audio-segments/{UNKNOWN_ID}"),
        (f"/notebooks/{listener.notebook_id}/audio-segments", UNKNOWN_LIST),
    ):
        response = stranger.call("GET", path)
        assert refused(response) == (404, "not_found")
        assert seen(response) == seen(stranger.call("GET", missing))
