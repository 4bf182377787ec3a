"""GET /api/notebooks/{notebook_id}/playback-manifest: what to play, in which order, and from where."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from mutagen.mp3 import MP3

from shared.dto.playback import PlaybackManifest
from tests.functions.listener import SLOTS, Listener
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused, seen

UNKNOWN = f"/notebooks/{UNKNOWN_ID}/playback-manifest"


def manifest(listener: Listener, query: str = "", notebook_id: str = "") -> Any:
    return listener.learner.get(f"/notebooks/{notebook_id or listener.notebook_id}/playback-manifest?{query}")


def clips(answer: Any) -> list[dict[str, Any]]:
    return [segment for item in answer["sequence"] for segment in item["segments"]]


def test_a_manifest_needs_a_token(anonymous: Learner) -> None:
    assert refused(anonymous.call("GET", UNKNOWN)) == (401, "unauthorized")


def test_a_manifest_keeps_its_schema(listener: Listener) -> None:
    answer = manifest(listener)
    checked = PlaybackManifest.model_validate(answer, extra="forbid")
    assert checked.model_dump(mode="json") == answer
    assert str(checked.build_id) == listener.build_ids()[0]


def test_phrases_come_by_position_and_their_clips_en1_en2_en3_pl(listener: Listener) -> None:
    sequence = manifest(listener)["sequence"]
    assert [(item["phrase"]["position"], item["phrase"]["en_text"]) for item in sequence] == [
        (10, "Three."),
        (20, "Two."),
        (30, "One."),
    ]
    assert [[segment["slot"] for segment in item["segments"]] for item in sequence] == [list(SLOTS)] * 3


def test_a_clip_is_that_of_its_phrase_and_slot(listener: Listener) -> None:
    build_id = listener.build_ids()[0]
    for item in manifest(listener)["sequence"]:
        for segment in item["segments"]:
            path = (
                f"{listener.learner.id}/{listener.notebook_id}/{build_id}/{item['phrase']['id']}/{segment['slot']}.mp3"
            )
            assert f"/audio/{path}?" in segment["url"]


def test_word_timings_name_the_words_of_the_phrase(listener: Listener) -> None:
    segment = manifest(listener)["sequence"][0]["segments"][0]
    timing = segment["word_timings"][0]
    assert (timing["text"], timing["offset"], timing["length"]) == ("Three", 0, 5)
    assert 0 <= timing["start_ms"] < timing["end_ms"] <= segment["duration_ms"]


def test_every_url_leads_to_its_mp3_without_any_header(listener: Listener) -> None:
    for segment in clips(manifest(listener)):
        response = requests.get(segment["url"], timeout=10)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/mpeg")
        sound = MP3(io.BytesIO(response.content)).info
        assert (sound.sample_rate, sound.bitrate, sound.channels) == (22050, 64000, 1)
        assert abs(sound.length * 1000 - segment["duration_ms"]) < 60


def test_a_url_lets_nobody_do_anything_but_get(listener: Listener) -> None:
    url = clips(manifest(listener))[0]["url"]
    assert requests.put(url, data=b"noise", timeout=10).status_code == 403
    assert requests.delete(url, timeout=10).status_code == 403
    assert requests.get(url.replace("EN1.mp3", "EN2.mp3"), timeout=10).status_code == 403


def test_urls_work_for_5_to_10_minutes(listener: Listener) -> None:
    expires_at = datetime.fromisoformat(manifest(listener)["expires_at"])
    assert timedelta(minutes=4, seconds=55) < expires_at - datetime.now(UTC) <= timedelta(minutes=10)
    assert expires_at.timestamp() % 300 == 0


def test_a_failed_clip_and_a_phrase_without_clips_are_left_out(listener: Listener) -> None:
    sequence = manifest(listener, notebook_id=listener.patchy_notebook_id)["sequence"]
    assert [item["phrase"]["position"] for item in sequence] == [10, 20, 30]
    assert [[segment["slot"] for segment in item["segments"]] for item in sequence] == [["EN1", "EN3", "PL"]] * 3


def test_without_an_active_build_there_is_nothing_to_play(learner: Learner) -> None:
    notebook_id = learner.import_notebook()
    answer = learner.manifest(notebook_id)
    assert answer == {
        "notebook_id": notebook_id,
        "build_id": None,
        "sequence": [],
        "expires_at": answer["expires_at"],
        "hints": {"speed": 1.0, "highlight": "on"},
    }


def test_phrases_can_be_chosen_and_still_come_by_position(listener: Listener) -> None:
    first, _, third = listener.phrase_ids(listener.notebook_id)
    sequence = manifest(listener, f"phrase_ids={third},{first},{third}")["sequence"]
    assert [item["phrase"]["id"] for item in sequence] == [first, third]


def test_the_clips_of_chosen_phrases_are_the_same(listener: Listener) -> None:
    second = listener.phrase_ids(listener.notebook_id)[1]
    assert manifest(listener, f"phrase_ids={second}")["sequence"] == manifest(listener)["sequence"][1:2]


def test_phrases_of_another_notebook_are_not_played(listener: Listener) -> None:
    other = listener.phrase_ids(listener.patchy_notebook_id)[0]
    assert manifest(listener, f"phrase_ids={other},{UNKNOWN_ID}")["sequence"] == []


@pytest.mark.parametrize(("given", "echoed"), [("0.75", 0.75), ("0.9", 0.9), ("1", 1.0), ("1.25", 1.25)])
@pytest.mark.parametrize("highlight", ["on", "off"])
def test_hints_are_echoed_and_change_nothing_else(
    listener: Listener, given: str, echoed: float, highlight: str
) -> None:
    hinted = manifest(listener, f"speed={given}&highlight={highlight}")
    assert hinted.pop("hints") == {"speed": echoed, "highlight": highlight}
    plain = manifest(listener)
    assert {**plain, "hints": None} == {**hinted, "hints": None}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/notebooks/mine/playback-manifest", "path.notebook_id"),
        (f"{UNKNOWN}?speed=2", "query.speed"),
        (f"{UNKNOWN}?speed=1.0", "query.speed"),
        (f"{UNKNOWN}?speed=fast", "query.speed"),
        (f"{UNKNOWN}?highlight=yes", "query.highlight"),
        (f"{UNKNOWN}?phrase_ids=", "query.phrase_ids.0"),
        (f"{UNKNOWN}?phrase_ids={UNKNOWN_ID},mine", "query.phrase_ids.1"),
        (f"{UNKNOWN}?phrase_ids={','.join([UNKNOWN_ID] * 101)}", "query.phrase_ids"),
    ],
    ids=lambda value: value[:80],
)
def test_what_does_not_fit_is_refused(learner: Learner, path: str, field: str) -> None:
    assert invalid_fields(learner.call("GET", path)) == [field]


def within_one_window(listener: Listener, *headers: dict[str, str]) -> list[requests.Response]:
    """The responses to requests with these headers, all in one signing window."""
    path = f"/notebooks/{listener.notebook_id}/playback-manifest"
    for _ in range(3):
        before, *found, after = (listener.learner.call("GET", path, headers=sent) for sent in ({}, *headers, {}))
        if before.json()["expires_at"] == after.json()["expires_at"]:
            return found
    raise AssertionError("no two manifests are of one window")


def test_the_same_state_gives_the_same_manifest(listener: Listener) -> None:
    first, again = within_one_window(listener, {}, {})
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_manifest_that_is_known_already_is_not_sent_again(listener: Listener, encoding: str) -> None:
    accept = {"Accept-Encoding": encoding}
    for _ in range(2):  # the window may end between the two
        etag = within_one_window(listener, accept)[0].headers["ETag"]
        known = within_one_window(listener, {**accept, "If-None-Match": etag})[0]
        if known.status_code == 304:
            break
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["ETag"] == etag


def test_a_manifest_that_is_not_known_is_sent(listener: Listener) -> None:
    response = within_one_window(listener, {"If-None-Match": 'W/"another"'})[0]
    assert response.status_code == 200


def test_a_manifest_is_compressed_on_request(listener: Listener) -> None:
    zipped, plain = within_one_window(listener, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"})
    assert zipped.content == plain.content
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(zipped.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2


def test_a_stranger_cannot_tell_a_notebook_from_none(listener: Listener, stranger: Learner) -> None:
    response = stranger.call("GET", f"/notebooks/{listener.notebook_id}/playback-manifest")
    assert refused(response) == (404, "not_found")
    assert seen(response) == seen(stranger.call("GET", UNKNOWN))


def test_phrases_of_another_learner_are_not_played(listener: Listener, stranger: Learner) -> None:
    chosen = listener.phrase_ids(listener.notebook_id)[0]
    own = stranger.import_notebook()
    assert stranger.get(f"/notebooks/{own}/playback-manifest?phrase_ids={chosen}")["sequence"] == []
