"""Our client of Text-to-Speech: what it sends, what it makes of the answers, and what becomes of keys."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local.text_to_speech import TextToSpeechServer
from infra.local.text_to_speech.settings import LocalSpeechSettings
from shared.clients import text_to_speech
from shared.clients.text_to_speech import TextToSpeech
from shared.config import SpeechSettings
from shared.dto.speech import SAMPLE_RATE_HZ, SpeechRequest, Voice
from shared.errors import (
    AppError,
    InvalidKey,
    QuotaExceeded,
    SpeechError,
    SpeechTimeout,
    SpeechUnavailable,
    TextTooLong,
    VoiceNotFound,
)
from shared.services.mp3 import encode
from shared.services.speech_input import speech_request, word_timings
from tests.local.answers import answering

KEY = "AIzaLocal-0123456789"
HELLO = speech_request("Hello there, you.", "en-US-Standard-C")


@pytest.fixture(scope="module")
def server() -> Iterator[TextToSpeechServer]:
    with TextToSpeechServer(LocalSpeechSettings(local_tts_slow_seconds=30, local_tts_retry_seconds=12.5)) as server:
        yield server


@pytest.fixture
def speech(server: TextToSpeechServer) -> TextToSpeech:
    return client_of(server.endpoint)


def client_of(endpoint: str, timeout_seconds: float = 20) -> TextToSpeech:
    return TextToSpeech(SpeechSettings(tts_endpoint=endpoint, tts_timeout_seconds=timeout_seconds))


class TestSynthesis:
    def test_samples_come_at_22050_hz(self, speech: TextToSpeech) -> None:
        made = speech.synthesize(KEY, HELLO)
        assert 0.8 < len(made.samples) / 2 / SAMPLE_RATE_HZ < 3

    def test_google_is_sent_the_request_and_nothing_else(
        self, server: TextToSpeechServer, speech: TextToSpeech
    ) -> None:
        speech.synthesize(KEY, HELLO)
        assert server.requests[-1].body == {
            "input": {"ssml": HELLO.content},
            "voice": {"languageCode": "en-US", "name": "en-US-Standard-C"},
            "audioConfig": {"audioEncoding": "LINEAR16", "sampleRateHertz": 22_050},
            "enableTimePointing": ["SSML_MARK"],
        }

    def test_plain_text_is_sent_as_text(self, server: TextToSpeechServer, speech: TextToSpeech) -> None:
        made = speech.synthesize(KEY, speech_request("Tom & Jerry", "en-US-Chirp3-HD-Kore"))
        assert server.requests[-1].body["input"] == {"text": "Tom & Jerry"}
        assert "enableTimePointing" not in server.requests[-1].body
        assert made.mark_seconds == {}

    @pytest.mark.parametrize("voice_id", ["en-US-Neural2-D", "en-GB-Standard-A", "pl-PL-Wavenet-D"])
    def test_every_word_of_several_sentences_has_its_time(self, speech: TextToSpeech, voice_id: str) -> None:
        text = "**Hello**, Tom & Jerry! How are you? Well — e.g. 3.14… Bye."
        request = speech_request(text, voice_id)
        clip = encode(speech.synthesize(KEY, request))
        timings = word_timings(request, clip)
        assert timings
        assert " ".join(timing.text for timing in timings) == "Hello Tom Jerry How are you Well e.g 3.14 Bye"
        assert 0 < timings[0].start_ms < timings[-1].start_ms < timings[-1].end_ms <= clip.duration_ms

    def test_voices_of_different_loudness_become_equal(self, speech: TextToSpeech) -> None:
        for voice_id in ("en-US-Standard-C", "en-GB-Chirp3-HD-Puck", "pl-PL-Standard-B"):
            clip = encode(speech.synthesize(KEY, speech_request("One two three.", voice_id)))
            assert 500 < clip.duration_ms < 4_000

    def test_a_call_is_made_once_even_if_it_fails(self, server: TextToSpeechServer, speech: TextToSpeech) -> None:
        before = len(server.requests)
        with pytest.raises(QuotaExceeded):
            speech.synthesize("AIzaQuota", HELLO)
        assert len(server.requests) == before + 1


class TestVoices:
    def test_a_voice_is_told_by_its_fields(self, speech: TextToSpeech) -> None:
        assert speech.voices(KEY, "pl")[0] == Voice(
            voice_id="pl-PL-Chirp3-HD-Charon",
            language_code="pl-PL",
            gender="MALE",
            family="Chirp3-HD",
            natural_sample_rate_hz=24_000,
        )

    def test_all_languages_come_sorted_by_id(self, speech: TextToSpeech) -> None:
        ids = [voice.voice_id for voice in speech.voices(KEY)]
        assert ids == sorted(ids)
        assert {voice_id[:2] for voice_id in ids} == {"de", "en", "pl"}

    def test_a_voice_of_several_languages_is_one_of_its_first_and_a_nameless_one_none(self) -> None:
        listed = [
            {"name": "en-US-Polyglot-1", "languageCodes": ["es-US", "en-US"], "naturalSampleRateHertz": 24_000},
            {"name": "Kore", "languageCodes": ["en-US", "pl-PL"], "ssmlGender": "FEMALE"},
        ]
        with answering(200, {"voices": listed}) as endpoint:
            [voice] = client_of(endpoint).voices(KEY)
        assert (voice.voice_id, voice.language_code, voice.gender) == ("en-US-Polyglot-1", "en-US", "UNSPECIFIED")


class TestLocalKeys:
    @pytest.mark.parametrize(
        ("key", "error", "reason"),
        [
            ("AIzaDisabled-1", InvalidKey, "SERVICE_DISABLED"),
            ("AIzaUnknown", InvalidKey, "API_KEY_INVALID"),
            ("x", InvalidKey, "API_KEY_INVALID"),
            ("AIzaQuota-1", QuotaExceeded, None),
        ],
    )
    def test_a_refused_key_is_told_apart(
        self, speech: TextToSpeech, key: str, error: type[AppError], reason: str | None
    ) -> None:
        for call in (lambda: speech.voices(key), lambda: speech.synthesize(key, HELLO)):
            with pytest.raises(error) as caught:
                call()
            assert caught.value.details.get("reason") == reason

    def test_a_used_up_quota_says_how_long_to_wait(self, speech: TextToSpeech) -> None:
        with pytest.raises(QuotaExceeded) as caught:
            speech.synthesize("AIzaQuota", HELLO)
        assert caught.value.retry_after_seconds == 12.5

    def test_an_answer_that_takes_too_long_is_a_timeout(self, server: TextToSpeechServer) -> None:
        begin = time.monotonic()
        with pytest.raises(SpeechTimeout):
            client_of(server.endpoint, timeout_seconds=0.3).synthesize("AIzaSlow", HELLO)
        assert time.monotonic() - begin < 5

    def test_a_flaky_service_is_unavailable_now_and_then(self, speech: TextToSpeech) -> None:
        speech.voices("AIzaFlaky-c")
        speech.voices("AIzaFlaky-c")
        with pytest.raises(SpeechUnavailable):
            speech.voices("AIzaFlaky-c")
        speech.voices("AIzaFlaky-c")

    def test_an_unknown_voice_is_not_found(self, speech: TextToSpeech) -> None:
        with pytest.raises(VoiceNotFound):
            speech.synthesize(KEY, SpeechRequest("en-US-Standard-Z", "en-US", "Hello"))

    def test_more_than_5000_bytes_are_too_long(self, speech: TextToSpeech) -> None:
        with pytest.raises(TextTooLong):
            speech.synthesize(KEY, SpeechRequest("en-US-Standard-C", "en-US", "a" * 5001))

    def test_a_request_that_is_wrong_is_our_own_fault(self, speech: TextToSpeech) -> None:
        with pytest.raises(AppError) as caught:
            speech.synthesize(KEY, SpeechRequest("en-US-Standard-C", "en-US", "<speak>", is_ssml=True))
        assert not isinstance(caught.value, SpeechError)
        assert caught.value.code == "internal"


class TestKeys:
    @pytest.mark.parametrize("key", ["", " ", "AIza Secret", "AIza\r\nX-Evil: 1", "AIzaż", "AIza\x00", "🔑", "A" * 201])
    def test_a_key_that_no_header_can_carry_is_invalid_and_not_sent(
        self, server: TextToSpeechServer, speech: TextToSpeech, key: str
    ) -> None:
        before = len(server.requests)
        with pytest.raises(InvalidKey) as caught:
            speech.voices(key)
        assert caught.value.details["reason"] == "API_KEY_INVALID"
        assert len(server.requests) == before

    def test_a_client_shows_no_key(self, speech: TextToSpeech) -> None:
        speech.voices(KEY)
        assert KEY not in repr(speech)
        assert KEY not in repr(list(speech._clients))


class TestClients:
    def test_a_key_is_served_by_one_client(self, speech: TextToSpeech) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: speech.voices(KEY), range(16)))
        assert len(speech._clients) == 1

    def test_two_keys_never_share_one(self, speech: TextToSpeech) -> None:
        speech.voices(KEY)
        with pytest.raises(InvalidKey):
            speech.voices("AIzaOther")

    def test_a_client_is_forgotten_soon(self, server: TextToSpeechServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text_to_speech, "CLIENT_SECONDS", 0.05)
        speech = client_of(server.endpoint)
        speech.voices(KEY)
        time.sleep(0.06)
        speech.voices(KEY + "2")
        assert len(speech._clients) == 1

    def test_their_number_is_bounded(self, server: TextToSpeechServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text_to_speech, "CLIENTS", 2)
        speech = client_of(server.endpoint)
        for number in range(5):
            speech.voices(f"{KEY}{number}")
        assert len(speech._clients) == 2

    def test_importing_it_imports_nothing_of_google(self) -> None:
        code = "import sys, shared.clients.text_to_speech as _; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        heavy = {"google.cloud.texttospeech_v1beta1", "google.api_core", "google.protobuf", "grpc", "requests"}
        assert not heavy & set(done.stdout.split())
