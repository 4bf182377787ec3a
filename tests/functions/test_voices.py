"""What Google offers, and which voice speaks in which slot."""

from functools import partial
from typing import Any

import pytest
import requests

from tests.functions.simultaneous import at_once
from tests.learner import VOICES, Learner, invalid_fields, refused
from tests.system import System


def choose(learner: Learner, slot: str, voice_id: str, **changes: Any) -> requests.Response:
    body = {"language": voice_id[:2], "voice_id": voice_id, **changes}
    return learner.call("PUT", f"/user-voices/{slot}", body)


def chosen(learner: Learner) -> dict[str, str]:
    return {slot["slot"]: slot["voice_id"] for slot in learner.get("/user-voices")["slots"]}


@pytest.mark.parametrize(("method", "path"), [("GET", "/voices"), ("GET", "/user-voices"), ("PUT", "/user-voices/EN1")])
def test_voices_need_a_token(anonymous: Learner, method: str, path: str) -> None:
    assert refused(anonymous.call(method, path)) == (401, "unauthorized")


@pytest.fixture(scope="module")
def keyholder(system: System) -> Learner:
    """A learner with a key, for tests that only read."""
    learner = system.learner()
    learner.store_key()
    return learner


def test_the_catalogue_is_english_and_polish(keyholder: Learner) -> None:
    voices = keyholder.get("/voices")["items"]
    assert {voice["language_code"][:3] for voice in voices} == {"en-", "pl-"}
    assert all(voice["voice_id"].startswith(voice["language_code"]) for voice in voices)


def test_a_voice_has_just_the_fields_of_the_contract(keyholder: Learner) -> None:
    answer = keyholder.get("/voices")
    assert answer.keys() == {"items"}
    assert {voice["voice_id"]: voice for voice in answer["items"]}["en-US-Standard-C"] == {
        "voice_id": "en-US-Standard-C",
        "language_code": "en-US",
        "gender": "FEMALE",
        "family": "Standard",
        "natural_sample_rate_hz": 24000,
    }


def test_the_voices_that_a_learner_chooses_in_these_tests_are_on_offer(keyholder: Learner) -> None:
    assert {*VOICES.values()} <= {voice["voice_id"] for voice in keyholder.get("/voices")["items"]}


def test_the_catalogue_of_one_language_is_a_part_of_the_whole(keyholder: Learner) -> None:
    english, polish = (keyholder.get(f"/voices?language={language}")["items"] for language in ("en", "pl"))
    assert {voice["language_code"][:2] for voice in english} == {"en"}
    assert {voice["language_code"] for voice in polish} == {"pl-PL"}
    assert english + polish == keyholder.get("/voices")["items"]


@pytest.mark.parametrize("language", ["de", "en-US", "EN", ""])
def test_another_language_is_refused(keyholder: Learner, language: str) -> None:
    assert invalid_fields(keyholder.call("GET", f"/voices?language={language}")) == ["query.language"]


def test_without_a_key_the_catalogue_says_what_is_missing(learner: Learner) -> None:
    response = learner.call("GET", "/voices")
    assert refused(response) == (400, "validation_error")
    assert response.json()["error"]["message"] == "Save a Google Text-to-Speech key in the settings first."


def test_without_a_key_any_more_there_is_no_catalogue(learner: Learner) -> None:
    learner.store_key()
    learner.get("/voices")
    learner.call("DELETE", "/tts-credentials")
    assert learner.call("GET", "/voices").status_code == 400


def test_at_first_no_slot_has_a_voice(learner: Learner) -> None:
    assert learner.get("/user-voices") == {"slots": []}


def test_a_slot_has_just_the_fields_of_the_contract(learner: Learner) -> None:
    slot = learner.expect(200, choose(learner, "PL", "pl-PL-Standard-A"))
    assert slot["created_at"].endswith("Z")
    assert slot == {
        "id": slot["id"],
        "slot": "PL",
        "language": "pl",
        "voice_id": "pl-PL-Standard-A",
        "created_at": slot["created_at"],
    }
    assert learner.get("/user-voices") == {"slots": [slot]}


def test_slots_come_in_the_order_they_are_played(learner: Learner) -> None:
    for slot in ("PL", "EN3", "EN1", "EN2"):
        choose(learner, slot, VOICES[slot])
    assert list(chosen(learner).items()) == list(VOICES.items())


def test_choosing_a_voice_twice_is_choosing_it_once(learner: Learner) -> None:
    first, again = (choose(learner, "EN1", "en-US-Standard-C") for _ in range(2))
    assert first.content == again.content


def test_another_voice_takes_the_place_of_the_first(learner: Learner) -> None:
    first = learner.expect(200, choose(learner, "EN1", "en-US-Standard-C"))
    second = learner.expect(200, choose(learner, "EN1", "en-US-Standard-B"))
    assert second["id"] == first["id"]
    assert chosen(learner) == {"EN1": "en-US-Standard-B"}


def test_one_voice_in_two_english_slots_is_a_conflict(learner: Learner) -> None:
    choose(learner, "EN1", "en-US-Standard-C")
    assert refused(choose(learner, "EN2", "en-US-Standard-C")) == (409, "conflict")
    assert chosen(learner) == {"EN1": "en-US-Standard-C"}


def test_of_two_slots_that_take_one_voice_at_once_one_gets_it(learner: Learner) -> None:
    responses = at_once([partial(choose, learner, slot, "en-US-Standard-C") for slot in ("EN1", "EN2")])
    assert sorted(response.status_code for response in responses) == [200, 409]


def test_two_learners_may_choose_one_voice(learner: Learner, stranger: Learner) -> None:
    choose(learner, "EN1", "en-US-Standard-C")
    assert choose(stranger, "EN2", "en-US-Standard-C").status_code == 200
    assert chosen(learner) == {"EN1": "en-US-Standard-C"}


@pytest.mark.parametrize(
    ("slot", "voice_id"), [("EN1", "pl-PL-Standard-A"), ("EN3", "pl-PL-Standard-A"), ("PL", "en-US-Standard-C")]
)
def test_a_slot_does_not_take_another_language(learner: Learner, slot: str, voice_id: str) -> None:
    assert invalid_fields(choose(learner, slot, voice_id)) == ["body.language"]
    assert chosen(learner) == {}


@pytest.mark.parametrize(("language", "voice_id"), [("en", "pl-PL-Standard-A"), ("en", "eng-US-Standard-C")])
def test_a_voice_of_another_language_is_refused(learner: Learner, language: str, voice_id: str) -> None:
    response = choose(learner, "EN1", voice_id, language=language)
    assert invalid_fields(response) == ["body.voice_id"]
    assert voice_id in response.json()["error"]["details"]["fields"][0]["message"]


@pytest.mark.parametrize("slot", ["EN4", "en1", "XX", "1"])
def test_an_unknown_slot_is_refused(learner: Learner, slot: str) -> None:
    assert invalid_fields(choose(learner, slot, "en-US-Standard-C")) == ["path.slot"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body.language", "body.voice_id"]),
        ({"language": "de", "voice_id": "de-DE-Standard-A"}, ["body.language"]),
        ({"language": "en", "voice_id": ""}, ["body.voice_id"]),
        ({"language": "en", "voice_id": "en"}, ["body.voice_id"]),
        ({"language": "en", "voice_id": "en-US-<break>"}, ["body.voice_id"]),
        ({"language": "en", "voice_id": f"en-{'x' * 100}"}, ["body.voice_id"]),
        ({"language": "en", "voice_id": 5}, ["body.voice_id"]),
        ({"language": "en", "voice_id": "en-US-Standard-C", "slot": "EN1"}, ["body.slot"]),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_by_field(
    learner: Learner, body: dict[str, Any], fields: list[str]
) -> None:
    assert invalid_fields(learner.call("PUT", "/user-voices/EN1", body)) == fields
