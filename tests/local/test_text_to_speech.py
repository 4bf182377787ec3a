"""The local Text-to-Speech server, judged by Google's own client: keys, voices, and the server itself."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise

import pytest
import requests
from google.api_core.exceptions import BadRequest, Forbidden, ServiceUnavailable, TooManyRequests

from infra.local.text_to_speech import TextToSpeechServer
from infra.local.text_to_speech.settings import LocalSpeechSettings
from infra.local.text_to_speech.voices import VOICES, LocalVoice
from tests.local.text_to_speech import (
    LINEAR16,
    PHRASE,
    google_client,
    pitch_hz,
    post,
    refusal,
    samples_of,
    seconds_of,
    synthesize,
)

SLOW_SECONDS = 0.3


@pytest.fixture(scope="module")
def server() -> Iterator[TextToSpeechServer]:
    with TextToSpeechServer(
        LocalSpeechSettings(local_tts_slow_seconds=SLOW_SECONDS, local_tts_retry_seconds=12.5)
    ) as server:
        yield server


class TestKeys:
    def test_a_local_key_speaks(self, server: TextToSpeechServer) -> None:
        assert seconds_of(synthesize(server, text="Hello.", key="AIzaLocal-of-anyone").audio_content) > 0.3

    def test_a_key_in_the_query_counts_as_one_in_the_header(self, server: TextToSpeechServer) -> None:
        answer = requests.get(f"{server.endpoint}/v1beta1/voices", params={"key": "AIzaLocal"}, timeout=5)
        assert answer.status_code == 200

    def test_a_quota_key_is_told_when_to_come_back(self, server: TextToSpeechServer) -> None:
        error = refusal(server, text="Hello.", key="AIzaQuota1")
        assert isinstance(error, TooManyRequests)
        assert error.reason == "RATE_LIMIT_EXCEEDED"
        assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"} in list(error.details)

    def test_a_disabled_key_is_told_to_enable_the_api(self, server: TextToSpeechServer) -> None:
        error = refusal(server, text="Hello.", key="AIzaDisabled1")
        assert isinstance(error, Forbidden)
        assert (error.reason, error.domain) == ("SERVICE_DISABLED", "googleapis.com")
        assert "it is disabled. Enable it by visiting" in str(error)

    def test_a_slow_key_is_answered_late(self, server: TextToSpeechServer) -> None:
        begin = time.monotonic()
        synthesize(server, text="Hello.", key="AIzaSlow1")
        assert time.monotonic() - begin >= SLOW_SECONDS

    def test_slow_calls_do_not_hold_up_the_others(self) -> None:
        with ThreadPoolExecutor(40) as pool, TextToSpeechServer() as server:
            for _ in range(40):
                pool.submit(synthesize, server, text="Hello.", key="AIzaSlow")
            while len(server.requests) < 40:
                time.sleep(0.01)
            google_client(server).list_voices(retry=None, timeout=5)

    def test_every_third_call_of_a_flaky_key_fails(self, server: TextToSpeechServer) -> None:
        client = google_client(server, "AIzaFlaky-three")
        outcomes = []
        for _ in range(6):
            try:
                client.list_voices(retry=None, timeout=20)
                outcomes.append("ok")
            except ServiceUnavailable:
                outcomes.append("unavailable")
        assert outcomes == ["ok", "ok", "unavailable"] * 2

    @pytest.mark.parametrize("key", ["AIzaOther", "aizalocal", "x"])
    def test_any_other_key_is_invalid(self, server: TextToSpeechServer, key: str) -> None:
        error = refusal(server, text="Hello.", key=key)
        assert isinstance(error, BadRequest)
        assert error.reason == "API_KEY_INVALID"
        assert error.response.json()["error"]["status"] == "INVALID_ARGUMENT"

    def test_a_call_without_a_key_is_refused(self, server: TextToSpeechServer) -> None:
        answer = requests.get(f"{server.endpoint}/v1beta1/voices", timeout=5)
        assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")

    def test_a_key_is_asked_for_before_the_body_is_read(self, server: TextToSpeechServer) -> None:
        answer = requests.post(f"{server.endpoint}/v1beta1/text:synthesize", data="{", params={"key": "x"}, timeout=5)
        assert answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


class TestVoices:
    def test_there_are_enough_of_every_kind(self, server: TextToSpeechServer) -> None:
        voices = google_client(server).list_voices(retry=None, timeout=5).voices
        english = {
            (voice.name[:5], voice.ssml_gender.name, family)
            for voice in voices
            for family in ("Standard", "Neural2", "Chirp3-HD")
            if family in voice.name and voice.name.startswith("en-")
        }
        assert len(english) == 2 * 2 * 3
        assert len([voice for voice in voices if voice.language_codes == ["pl-PL"]]) >= 3
        assert {"en-US-Standard-C", "en-US-Neural2-D", "pl-PL-Chirp3-HD-Kore"} <= {voice.name for voice in voices}

    @pytest.mark.parametrize(
        ("language", "codes"), [("pl", {"pl-PL"}), ("en", {"en-US", "en-GB"}), ("en-GB", {"en-GB"})]
    )
    def test_a_language_narrows_the_list(self, server: TextToSpeechServer, language: str, codes: set[str]) -> None:
        voices = google_client(server).list_voices(language_code=language, retry=None, timeout=5).voices
        assert {code for voice in voices for code in voice.language_codes} == codes

    def test_a_language_that_nobody_speaks_has_no_voices(self, server: TextToSpeechServer) -> None:
        assert not google_client(server).list_voices(language_code="tlh", retry=None, timeout=5).voices

    def test_all_sound_different(self, server: TextToSpeechServer) -> None:
        portraits = {voice.name: portrait(server, voice) for voice in VOICES}
        for one, other in combinations(portraits, 2):
            distance = max(abs(a / b - 1) for a, b in zip(portraits[one], portraits[other], strict=True))
            assert one[:2] != other[:2] or distance > 0.04, (one, other)

    def test_no_name_means_any_voice_of_the_language_and_gender(self, server: TextToSpeechServer) -> None:
        answer = google_client(server).synthesize_speech(
            {
                "input": {"text": "Cześć."},
                "voice": {"language_code": "pl-PL", "ssml_gender": "MALE"},
                "audio_config": {"audio_encoding": "LINEAR16"},
            },
            retry=None,
            timeout=5,
        )
        assert seconds_of(answer.audio_content) > 0.3

    def test_an_unknown_voice_is_refused(self, server: TextToSpeechServer) -> None:
        error = refusal(server, text="Hello.", voice="en-US-Standard-Z")
        assert isinstance(error, BadRequest)
        assert "Voice 'en-US-Standard-Z' does not exist. Is it misspelled?" in str(error)

    def test_a_voice_of_another_language_is_refused(self, server: TextToSpeechServer) -> None:
        error = refusal(server, text="Hello.", voice="en-US-Standard-C", language_code="pl-PL")
        assert isinstance(error, BadRequest)
        assert "doesn't match the voice 'en-US-Standard-C''s language code 'en-us'" in str(error)

    def test_a_language_without_voices_is_refused(self, server: TextToSpeechServer) -> None:
        answer = post(server, {"input": {"text": "a"}, "voice": {"languageCode": "xx"}, "audioConfig": LINEAR16})
        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def portrait(server: TextToSpeechServer, voice: LocalVoice) -> tuple[float, float, float]:
    """What tells voices apart: seconds for a sentence, pitch in Hz, and how often the wave crosses zero a second."""
    text = PHRASE[voice.name[:2]]
    rate, samples = samples_of(synthesize(server, text=text, voice=voice.name, sample_rate_hertz=22_050).audio_content)
    crossings = sum((one < 0) != (other < 0) for one, other in pairwise(samples))
    seconds = len(samples) / rate
    return seconds, pitch_hz(samples, rate), crossings / seconds


class TestServer:
    def test_requests_are_recorded_without_their_keys(self, server: TextToSpeechServer) -> None:
        synthesize(server, text="Remember me.", key="AIzaLocal-secret")
        last = server.requests[-1]
        assert (last.key_kind, last.method, last.path) == ("AIzaLocal", "POST", "/v1beta1/text:synthesize")
        assert last.body["input"] == {"text": "Remember me."}
        assert "secret" not in repr(server.requests)

    def test_many_can_speak_at_once(self, server: TextToSpeechServer) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda voice: synthesize(server, text="1 2 3", voice=voice.name), VOICES[:13] * 2))
        assert all(seconds_of(answer.audio_content) > 0.5 for answer in answers)

    def test_latency_is_a_setting(self) -> None:
        with TextToSpeechServer(LocalSpeechSettings(local_tts_latency_ms=200)) as server:
            begin = time.monotonic()
            synthesize(server, text="Hello.")
            assert time.monotonic() - begin >= 0.2

    def test_closing_does_not_wait_for_a_slow_call(self) -> None:
        begin = time.monotonic()
        with ThreadPoolExecutor(1) as pool, TextToSpeechServer() as server:
            call = pool.submit(synthesize, server, text="Hello.", key="AIzaSlow")
            while not server.requests:
                time.sleep(0.01)
        assert time.monotonic() - begin < 3
        assert call.exception() is None or isinstance(call.exception(), requests.ConnectionError)

    def test_it_runs_as_a_process_and_ends_with_its_parent(self) -> None:
        command = [sys.executable, "-m", "infra.local.text_to_speech", "--port", "0"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            endpoint = json.loads(process.stdout.readline())["endpoint"]
            answer = requests.get(f"{endpoint}/v1beta1/voices", params={"key": "AIzaLocal"}, timeout=5)
            process.stdin.close()
            assert process.wait(10) == 0
        assert answer.status_code == 200
