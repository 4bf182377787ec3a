"""The ten cases of section 10 of the stage 2 plan, in its order, on the whole local system."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
from mutagen.mp3 import MONO, MP3

from tests.learner import Learner, error_code
from tests.system import System

LINES = ["Good morning. ::: Dzień dobry.", "See you soon. ::: Do zobaczenia.", "Thank you. ::: Dziękuję."]
TOO_LONG = "\N{CJK UNIFIED IDEOGRAPH-5B57}" * 2000  # 6,000 bytes, where Google takes 5,000
SLOTS = ["EN1", "EN2", "EN3", "PL"]


def test_1_testing_a_key_tells_invalid_key_quota_exceeded_and_tts_timeout_apart(system: System) -> None:
    answers = {
        key: system.learner().call("POST", "/tts-credentials:test", {"google_api_key": key})
        for key in ("not-a-key", "AIzaQuotaKey", "AIzaSlowKey", "AIzaLocalKey")
    }
    refused = {key: (answer.status_code, error_code(answer)) for key, answer in answers.items() if not answer.ok}
    assert refused == {
        "not-a-key": (400, "invalid_key"),
        "AIzaQuotaKey": (402, "quota_exceeded"),
        "AIzaSlowKey": (504, "tts_timeout"),
    }
    assert answers["AIzaLocalKey"].json() == {"ok": True, "voice_sampled": "en-US-Standard-C"}


def test_2_a_key_is_stored_only_after_a_test_and_only_encrypted(system: System) -> None:
    learner, key = system.learner(), f"AIzaLocal{uuid4().hex}"
    refused = learner.call("PUT", "/tts-credentials", {"google_api_key": key})
    assert (refused.status_code, error_code(refused)) == (400, "validation_error")
    assert learner.get("/tts-credentials")["is_configured"] is False

    learner.store_key(key)
    assert learner.get("/tts-credentials")["is_configured"] is True
    rows = system.database.fetch(
        "select encrypted_key, key_fingerprint from public.tts_credentials where user_id = %s", [learner.id]
    )
    assert key.encode() not in rows[0]["encrypted_key"]
    assert key not in rows[0]["key_fingerprint"]


def test_3_a_slot_takes_its_language_only_and_no_voice_twice(system: System) -> None:
    learner = system.learner()
    polish = {"language": "pl", "voice_id": "pl-PL-Standard-A"}
    assert error_code(learner.call("PUT", "/user-voices/EN1", polish)) == "validation_error"
    english = {"language": "en", "voice_id": "en-US-Standard-C"}
    assert error_code(learner.call("PUT", "/user-voices/PL", english)) == "validation_error"
    assert learner.call("PUT", "/user-voices/EN1", english).status_code == 200
    twice = learner.call("PUT", "/user-voices/EN2", english)
    assert (twice.status_code, error_code(twice)) == (409, "conflict")


def test_4_generating_needs_key_and_voices_and_no_other_job(system: System) -> None:
    learner = system.learner()
    notebook_id = learner.import_notebook(LINES)
    path = f"/notebooks/{notebook_id}/jobs:generate-rebuild"
    assert _refusal(learner.call("POST", path)) == (400, "validation_error")
    learner.store_key()
    assert _refusal(learner.call("POST", path)) == (400, "validation_error")
    learner.choose_voices()
    job = learner.generate(notebook_id)
    assert _refusal(learner.call("POST", path)) == (409, "job_in_progress")
    assert system.wait(learner, job)["state"] == "succeeded"


def test_5_a_job_that_succeeds_activates_its_segments_in_place_of_the_old_ones(system: System) -> None:
    learner = system.learner()
    notebook_id = learner.prepare(LINES)
    first = _segments(system, system.wait(learner, learner.generate(notebook_id)))
    second_job = system.wait(learner, learner.generate(notebook_id))
    second = _segments(system, second_job)
    assert second_job["state"] == "succeeded"
    assert [row["is_active"] for row in second] == [True] * 12
    assert [row["is_active"] for row in _segments(system, {"id": first[0]["job_id"]})] == [False] * 12
    assert learner.get(f"/notebooks/{notebook_id}")["current_build_id"] == str(second[0]["build_id"])


def test_6_a_job_that_fails_leaves_what_was_active_and_says_why(system: System) -> None:
    learner = system.learner()
    notebook_id = learner.prepare(LINES)
    system.wait(learner, learner.generate(notebook_id))
    before = learner.manifest(notebook_id)
    _take_the_key_away(system, learner)
    job = system.wait(learner, learner.generate(notebook_id))
    assert job["state"] == "failed"
    assert job["error"]["message"] == "Nie udało się wygenerować audio. Spróbuj ponownie."
    assert {row["error_code"] for row in _segments(system, job)} == {"invalid_key"}
    assert [row["is_active"] for row in _segments(system, job)] == [False] * 12
    after = learner.manifest(notebook_id)
    assert after["build_id"] == before["build_id"]
    assert _clips(after) == _clips(before)


def test_7_the_manifest_leaves_out_what_is_missing_keeps_the_order_and_its_urls_play(system: System) -> None:
    learner = system.learner()
    notebook_id = learner.prepare([*LINES, "Short. ::: " + TOO_LONG])
    system.wait(learner, learner.generate(notebook_id))
    manifest = learner.manifest(notebook_id)
    assert [[clip["slot"] for clip in item["segments"]] for item in manifest["sequence"]] == [
        SLOTS,
        SLOTS,
        SLOTS,
        SLOTS[:3],
    ]
    assert [item["phrase"]["position"] for item in manifest["sequence"]] == [10, 20, 30, 40]
    remaining = datetime.fromisoformat(manifest["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=5) - timedelta(seconds=5) <= remaining <= timedelta(minutes=10)
    for _, url, duration_ms in _clips(manifest):
        played = requests.get(url, timeout=10)
        assert (played.status_code, played.headers["Content-Type"]) == (200, "audio/mpeg")
        assert abs(MP3(BytesIO(played.content)).info.length * 1000 - duration_ms) <= 1


def test_8_what_belongs_to_another_learner_does_not_exist(system: System) -> None:
    owner, stranger = system.learner(), system.learner()
    notebook_id = owner.prepare(LINES)
    job = system.wait(owner, owner.generate(notebook_id))
    segment = _segments(system, job)[0]
    missing = _without_request_id(stranger.call("GET", f"/notebooks/{uuid4()}"))
    for path in (
        f"/notebooks/{notebook_id}",
        f"/notebooks/{notebook_id}/phrases",
        f"/notebooks/{notebook_id}/jobs",
        f"/notebooks/{notebook_id}/builds",
        f"/notebooks/{notebook_id}/audio-segments",
        f"/notebooks/{notebook_id}/playback-manifest",
        f"/jobs/{job['id']}",
        f"/builds/{segment['build_id']}",
        f"/audio-segments/{segment['id']}",
    ):
        assert owner.call("GET", path).status_code == 200, path
        assert _without_request_id(stranger.call("GET", path)) == missing, path
    for path in (f"/notebooks/{notebook_id}/jobs:generate-rebuild", f"/jobs/{job['id']}:cancel"):
        assert _without_request_id(stranger.call("POST", path))[:2] == missing[:2], path


@pytest.mark.parametrize(("column", "value"), [("sample_rate_hz", 44100), ("bitrate_kbps", 128)])
def test_9_the_audio_parameters_are_enforced(system: System, column: str, value: int) -> None:
    learner = system.learner()
    job = system.wait(learner, learner.generate(learner.prepare(LINES)))
    for row in _segments(system, job):
        assert (row["sample_rate_hz"], row["bitrate_kbps"], row["status"]) == (22050, 64, "complete")
    statement = {
        "sample_rate_hz": "update public.audio_segments set sample_rate_hz = %s where user_id = %s",
        "bitrate_kbps": "update public.audio_segments set bitrate_kbps = %s where user_id = %s",
    }[column]
    with pytest.raises(psycopg.errors.CheckViolation):
        system.database.execute(statement, [value, learner.id])
    url = learner.manifest(job["notebook_id"])["sequence"][0]["segments"][0]["url"]
    facts = MP3(BytesIO(requests.get(url, timeout=10).content)).info
    assert (facts.sample_rate, facts.bitrate, facts.mode) == (22050, 64000, MONO)


def test_10_generating_again_with_the_same_idempotency_key_answers_the_same(system: System) -> None:
    learner = system.learner()
    notebook_id = learner.prepare(LINES)
    path, key = f"/notebooks/{notebook_id}/jobs:generate-rebuild", {"Idempotency-Key": str(uuid4())}
    first = learner.call("POST", path, headers=key)
    system.wait(learner, first.json()["job"])
    second = learner.call("POST", path, headers=key)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert len(learner.get(f"/notebooks/{notebook_id}/jobs")["items"]) == 1


def _refusal(response: requests.Response) -> tuple[int, str]:
    return response.status_code, error_code(response)


def _segments(system: System, job: dict[str, Any]) -> list[dict[str, Any]]:
    return system.database.fetch(
        """
        select segments.*, builds.job_id
        from public.builds
        join public.audio_segments segments on segments.build_id = builds.id
        where builds.job_id = %s
        """,
        [job["id"]],
    )


def _clips(manifest: dict[str, Any]) -> Sequence[tuple[str, str, int]]:
    """Phrase and slot, address without its signature, and duration of each clip."""
    return [
        (clip["slot"], clip["url"], clip["duration_ms"]) for item in manifest["sequence"] for clip in item["segments"]
    ]


def _take_the_key_away(system: System, learner: Learner) -> None:
    """Let Google refuse the stored key from now on, as if the learner had switched the API off."""
    system.database.execute(
        "update public.tts_credentials set encrypted_key = %s where user_id = %s",
        [system.key_ring().encrypt("AIzaDisabledMeanwhile", learner.id), learner.id],
    )


def _without_request_id(response: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name not in ("X-Request-Id", "Date")}
    return response.status_code, response.content, headers
