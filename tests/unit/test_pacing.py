"""Fan-out keeps to Google's requests per minute: what is too much for this minute is planned for the next ones."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.db.audio_segments import MissingSegment
from shared.dto.tasks import Task, Worker
from shared.services.fan_out import finalize_task, paced

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CHIRP = "pl-PL-Chirp3-HD-Kore"
STUDIO = "en-US-Studio-O"
STANDARD = "en-US-Standard-C"


def segments(*voices: str) -> list[MissingSegment]:
    return [MissingSegment(uuid4(), voice) for voice in voices]


def minutes(*voices: str) -> list[int]:
    """In which minute from now each segment is to be made."""
    planned = [task.not_before or NOW for task in paced(segments(*voices), NOW)]
    return [int((moment - NOW) / timedelta(minutes=1)) for moment in planned]


def test_a_segment_becomes_a_task_of_the_synthesize_worker() -> None:
    missing = segments(STANDARD)
    assert list(paced(missing, NOW, "2")) == [Task(Worker.SYNTHESIZE, {"segment_id": str(missing[0].id)}, "2")]


def test_no_segments_are_no_tasks() -> None:
    assert list(paced([], NOW)) == []


def test_tasks_keep_the_order_in_which_the_segments_are_played() -> None:
    missing = segments(*[CHIRP, STANDARD] * 300)
    planned = [task.body["segment_id"] for task in paced(missing, NOW)]
    assert planned == [str(segment.id) for segment in missing]


@pytest.mark.parametrize("voice", [STANDARD, STUDIO, CHIRP])
def test_a_notebook_in_its_usual_size_comes_at_once(voice: str) -> None:
    assert [task.not_before for task in paced(segments(*[voice] * 100), NOW)] == [None] * 100


@pytest.mark.parametrize(("voice", "per_minute"), [(CHIRP, 200), (STUDIO, 500), (STANDARD, 1000), ("strange", 1000)])
def test_no_minute_has_more_requests_than_google_takes(voice: str, per_minute: int) -> None:
    count = 2 * per_minute + 1
    assert Counter(minutes(*[voice] * count)) == {0: per_minute, 1: per_minute, 2: 1}


def test_each_family_has_a_minute_of_its_own() -> None:
    voices = [CHIRP, "en-US-Chirp3-HD-Puck", STANDARD, STUDIO] * 100
    assert max(minutes(*voices)) == 0
    assert max(minutes(*voices, CHIRP)) == 1
    assert max(minutes(*voices, STUDIO)) == 0


def test_voices_of_one_family_share_its_minute_whatever_their_language() -> None:
    assert minutes(*[CHIRP] * 150, *["en-US-Chirp3-HD-Puck"] * 100) == [0] * 200 + [1] * 50


def test_a_task_that_waits_is_the_same_task() -> None:
    missing = segments(*[CHIRP] * 201)
    later = list(paced(missing, NOW))[-1]
    at_once = next(iter(paced(missing[-1:], NOW)))
    assert later.not_before
    assert later == at_once


def test_the_task_that_ends_a_job_names_it() -> None:
    job_id = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11")
    assert finalize_task(job_id, "2") == Task(Worker.FINALIZE_BUILD, {"job_id": str(job_id)}, "2")
