"""POST /api/voices:preview."""

from io import BytesIO

import pytest
from mutagen.mp3 import MP3

from tests.learner import Learner, invalid_fields, refused

LONGER = "Proszę powiedzieć coś znacznie dłuższego niż to."
VOICE = {"voice_id": "pl-PL-Standard-A"}


def test_a_voice_greets_in_its_language_or_says_what_it_is_told(learner: Learner) -> None:
    learner.store_key()
    greeting = learner.call("POST", "/voices:preview", VOICE)
    said = learner.call("POST", "/voices:preview", {**VOICE, "text": LONGER})
    assert (greeting.status_code, greeting.headers["Content-Type"]) == (200, "audio/mpeg")
    assert MP3(BytesIO(said.content)).info.length > MP3(BytesIO(greeting.content)).info.length > 0.5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "voice_id"),
        ({"voice_id": "Kore"}, "voice_id"),
        ({**VOICE, "text": "x" * 201}, "text"),
        ({**VOICE, "text": " "}, "text"),
        ({**VOICE, "text": "a\x00"}, "text"),
    ],
)
def test_what_does_not_fit_is_named(learner: Learner, body: dict[str, str], field: str) -> None:
    assert invalid_fields(learner.call("POST", "/voices:preview", body)) == [f"body.{field}"]


def test_a_key_is_needed_and_a_voice_that_google_has(learner: Learner) -> None:
    assert refused(learner.call("POST", "/voices:preview", VOICE)) == (400, "validation_error")
    learner.store_key()
    unknown = learner.call("POST", "/voices:preview", {"voice_id": "pl-PL-Standard-Q"})
    assert refused(unknown) == (400, "validation_error")


def test_previews_are_limited_and_tests_of_a_key_go_on_meanwhile(learner: Learner) -> None:
    learner.store_key()
    answers = [learner.call("POST", "/voices:preview", VOICE) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    learner.store_key()


def test_a_preview_needs_a_token(anonymous: Learner) -> None:
    assert refused(anonymous.call("POST", "/voices:preview", VOICE)) == (401, "unauthorized")
