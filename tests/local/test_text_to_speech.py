"""The local Text-to-Speech server, judged by Google's own client."""

import io
import json
import subprocess
import sys
import time
import wave
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from typing import Any

import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    GoogleAPICallError,
    ServiceUnavailable,
    TooManyRequests,
)
from google.cloud import texttospeech_v1beta1 as google_speech
from mutagen.mp3 import MONO, MP3

from infra.local.text_to_speech import TextToSpeechServer
from infra.local.text_to_speech.settings import LocalSpeechSettings
from infra.local.text_to_speech.voices import VOICES, LocalVoice

SLOW_SECONDS = 0.3
PHRASE = {"en": "The quick brown fox jumps over the lazy dog.", "pl": "Zażółć gęślą jaźń, miły panie."}


@pytest.fixture(scope="module")
def server() -> Iterator[TextToSpeechServer]:
    settings = LocalSpeechSettings(local_tts_slow_seconds=SLOW_SECONDS, local_tts_retry_seconds=12.5)
    with TextToSpeechServer(settings) as server:
        yield server


def google_client(server: TextToSpeechServer, key: str = "AIzaLocal") -> google_speech.TextToSpeechClient:
    options = ClientOptions(api_key=key, api_endpoint=server.endpoint)
    return google_speech.TextToSpeechClient(transport="rest", client_options=options)


def synthesize(
    server: TextToSpeechServer,
    *,
    text: str | None = None,
    ssml: str | None = None,
    voice: str = "en-US-Standard-C",
    encoding: str = "LINEAR16",
    key: str = "AIzaLocal",
    language_code: str | None = None,
    **config: Any,
) -> google_speech.SynthesizeSpeechResponse:
    request = {
        "input": {"ssml": ssml} if ssml is not None else {"text": text},
        "voice": {"language_code": language_code or voice[:5], "name": voice},
        "audio_config": {"audio_encoding": google_speech.AudioEncoding[encoding], **config},
        "enable_time_pointing": ["SSML_MARK"] if ssml else [],
    }
    return google_client(server, key).synthesize_speech(request, retry=None, timeout=20)


def refusal(server: TextToSpeechServer, **arguments: Any) -> GoogleAPICallError:
    with pytest.raises(GoogleAPICallError) as caught:
        synthesize(server, **arguments)
    return caught.value


def samples_of(audio: bytes) -> tuple[int, "array[int]"]:
    """The rate of a WAV file, and its samples."""
    with wave.open(io.BytesIO(audio), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), array("h", file.readframes(file.getnframes()))


def seconds_of(audio: bytes) -> float:
    rate, samples = samples_of(audio)
    return len(samples) / rate


def times_of(response: google_speech.SynthesizeSpeechResponse) -> dict[str, float]:
    return {point.mark_name: point.time_seconds for point in response.timepoints}


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

    def test_slow_calls_do_not_hold_up_the_others(self, server: TextToSpeechServer) -> None:
        with ThreadPoolExecutor(40) as pool:
            slow = [pool.submit(synthesize, server, text="Hello.", key="AIzaSlow1") for _ in range(40)]
            while not any(request.key_kind == "AIzaSlow" for request in server.requests):
                time.sleep(0.01)
            google_client(server).list_voices(retry=None, timeout=20)
            assert not all(call.done() for call in slow)

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

    @pytest.mark.parametrize(("language", "codes"), [("pl", {"pl-PL"}), ("en", {"en-US", "en-GB"}), ("en-GB", {"en-GB"})])
    def test_a_language_narrows_the_list(self, server: TextToSpeechServer, language: str, codes: set[str]) -> None:
        voices = google_client(server).list_voices(language_code=language, retry=None, timeout=5).voices
        assert {code for voice in voices for code in voice.language_codes} == codes

    def test_a_language_that_nobody_speaks_has_no_voices(self, server: TextToSpeechServer) -> None:
        assert not google_client(server).list_voices(language_code="tlh", retry=None, timeout=5).voices

    def test_all_sound_different(self, server: TextToSpeechServer) -> None:
        portraits = {voice.name: portrait(server, voice) for voice in VOICES}
        for one, other in combinations(portraits, 2):
            distance = max(abs(a / b - 1) for a, b in zip(portraits[one], portraits[other], strict=True))
            assert distance > 0.05, (one, other)

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


def pitch_hz(samples: "array[int]", rate: int) -> float:
    """The median over the loudest windows of the lag at which a window is most like itself."""
    size = rate // 20
    windows = [samples[start : start + 2 * size] for start in range(0, len(samples) - 2 * size, size)]
    loudest = sorted(windows, key=lambda window: -sum(map(abs, window)))[:7]
    lags = sorted(
        max(range(rate // 400, rate // 70, 2), key=lambda lag: sum(a * b for a, b in zip(window[lag::4], window[::4])))
        for window in loudest
    )
    return rate / lags[len(lags) // 2]


LINEAR16 = {"audioEncoding": "LINEAR16"}


def post(server: TextToSpeechServer, body: Any) -> requests.Response:
    data = body if isinstance(body, str) else json.dumps(body)
    url = f"{server.endpoint}/v1beta1/text:synthesize"
    return requests.post(url, data=data, headers={"x-goog-api-key": "AIzaLocal"}, timeout=5)


class TestAudio:
    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100])
    def test_a_wav_has_the_rate_that_was_asked_for(self, server: TextToSpeechServer, rate: int) -> None:
        audio = synthesize(server, text="Hello.", sample_rate_hertz=rate).audio_content
        assert samples_of(audio)[0] == rate
        assert seconds_of(audio) == pytest.approx(seconds_of(synthesize(server, text="Hello.").audio_content), abs=0.05)

    def test_the_natural_rate_is_24_khz(self, server: TextToSpeechServer) -> None:
        answer = synthesize(server, text="Hello.")
        assert samples_of(answer.audio_content)[0] == answer.audio_config.sample_rate_hertz == 24_000

    @pytest.mark.parametrize(("encoding", "kbps"), [("MP3", 32), ("MP3_64_KBPS", 64)])
    @pytest.mark.parametrize("rate", [22_050, 24_000])
    def test_an_mp3_has_the_bit_rate_of_its_encoding(
        self, server: TextToSpeechServer, encoding: str, kbps: int, rate: int
    ) -> None:
        audio = synthesize(server, text="Hello.", encoding=encoding, sample_rate_hertz=rate).audio_content
        info: Any = MP3(io.BytesIO(audio)).info  # type: ignore[no-untyped-call]
        assert (info.bitrate, info.sample_rate, info.mode) == (kbps * 1000, rate, MONO)
        assert info.length > 0.3

    def test_pcm_is_a_wav_without_its_header(self, server: TextToSpeechServer) -> None:
        answer = synthesize(server, text="Hello.", encoding="PCM")
        assert answer.audio_content[:4] != b"RIFF"
        assert len(answer.audio_content) / 2 / 24_000 == pytest.approx(0.8, abs=0.4)

    def test_what_it_cannot_encode_it_says(self, server: TextToSpeechServer) -> None:
        assert refusal(server, text="Hello.", encoding="OGG_OPUS").code == 501

    def test_no_encoding_is_refused(self, server: TextToSpeechServer) -> None:
        assert refusal(server, text="Hello.", encoding="AUDIO_ENCODING_UNSPECIFIED").code == 400

    @pytest.mark.parametrize(("encoding", "rate"), [("LINEAR16", 7_999), ("LINEAR16", -1), ("MP3", 22_000)])
    def test_an_impossible_rate_is_refused(self, server: TextToSpeechServer, encoding: str, rate: int) -> None:
        assert refusal(server, text="Hello.", encoding=encoding, sample_rate_hertz=rate).code == 400

    def test_half_the_speaking_rate_takes_longer(self, server: TextToSpeechServer) -> None:
        slow = seconds_of(synthesize(server, text=PHRASE["en"], speaking_rate=0.5).audio_content)
        assert slow > 1.5 * seconds_of(synthesize(server, text=PHRASE["en"]).audio_content)

    def test_six_decibels_less_are_half_as_loud(self, server: TextToSpeechServer) -> None:
        loud, quiet = (
            max(samples_of(synthesize(server, text="Hello.", volume_gain_db=gain).audio_content)[1])
            for gain in (0.0, -6.0206)
        )
        assert quiet / loud == pytest.approx(0.5, abs=0.05)

    def test_a_higher_pitch_is_higher(self, server: TextToSpeechServer) -> None:
        low, high = (
            pitch_hz(samples_of(synthesize(server, text=PHRASE["en"], pitch=pitch).audio_content)[1], 24_000)
            for pitch in (-15.0, 15.0)
        )
        assert high > 1.2 * low

    @pytest.mark.parametrize(
        "config", [{"speaking_rate": 0.1}, {"speaking_rate": 2.5}, {"pitch": 21.0}, {"volume_gain_db": 17.0}]
    )
    def test_values_out_of_range_are_refused(self, server: TextToSpeechServer, config: dict[str, float]) -> None:
        assert refusal(server, text="Hello.", **config).code == 400


class TestInput:
    @pytest.mark.parametrize("content", [{"text": ""}, {"ssml": ""}])
    def test_nothing_to_say_is_refused(self, server: TextToSpeechServer, content: dict[str, str]) -> None:
        assert isinstance(refusal(server, **content), BadRequest)

    def test_5000_bytes_are_spoken(self, server: TextToSpeechServer) -> None:
        assert seconds_of(synthesize(server, text="ż" * 20 + " " * 4960).audio_content) > 0

    @pytest.mark.parametrize("content", [{"text": "ż" * 2501}, {"ssml": f"<speak>{' ' * 4986}</speak>"}])
    def test_more_than_5000_bytes_are_refused(self, server: TextToSpeechServer, content: dict[str, str]) -> None:
        assert "is longer than the limit of 5000 bytes" in str(refusal(server, **content))

    def test_text_is_not_markup(self, server: TextToSpeechServer) -> None:
        one = seconds_of(synthesize(server, text="<break time='5s'/> & ]]> [[h@]] \x01+99s hello").audio_content)
        assert 1 < one < 8

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", '"x"', "{}", {"input": {"text": "a", "ssml": "<speak/>"}}, {"inptu": {}}, {"voice": 1}, "\xff"],
    )
    def test_garbage_is_a_bad_request(self, server: TextToSpeechServer, body: Any) -> None:
        answer = post(server, body)
        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")

    def test_an_unknown_field_is_named(self, server: TextToSpeechServer) -> None:
        error = post(server, {"inptu": {"text": "a"}}).json()["error"]
        assert "inptu" in error["message"]
        assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"

    def test_a_huge_body_is_refused(self, server: TextToSpeechServer) -> None:
        assert post(server, {"input": {"text": "a" * 2_000_000}}).status_code == 400

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/voices"), ("GET", "/v1beta1/text:synthesize")])
    def test_other_methods_are_not_found(self, server: TextToSpeechServer, method: str, path: str) -> None:
        answer = requests.request(method, server.endpoint + path, headers={"x-goog-api-key": "AIzaLocal"}, timeout=5)
        assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


class TestSsml:
    def test_marks_come_back_in_order(self, server: TextToSpeechServer) -> None:
        ssml = '<speak><mark name="a"/>Hello <mark name="b"/>there, <mark name="c"/>you<mark name="end"/></speak>'
        answer = synthesize(server, ssml=ssml)
        times = times_of(answer)
        assert list(times) == ["a", "b", "c", "end"]
        assert times["a"] < 0.1 < times["b"] < times["c"] < times["end"] <= seconds_of(answer.audio_content)

    def test_a_mark_after_a_sentence_is_at_the_next_word(self, server: TextToSpeechServer) -> None:
        times = times_of(synthesize(server, ssml='<speak>Tom &amp; Jerry. <mark name="a"/>You. <mark name="b"/></speak>'))
        whole = seconds_of(synthesize(server, ssml="<speak>Tom &amp; Jerry. You.</speak>").audio_content)
        assert 0.5 < times["a"] < times["b"] <= whole + 0.1

    def test_marks_come_back_only_when_asked_for(self, server: TextToSpeechServer) -> None:
        body = {
            "input": {"ssml": '<speak><mark name="a"/>Hello</speak>'},
            "voice": {"languageCode": "en-US"},
            "audioConfig": LINEAR16,
        }
        assert "timepoints" not in post(server, body).json()
        assert "timepoints" in post(server, {**body, "enableTimePointing": ["SSML_MARK"]}).json()

    @pytest.mark.parametrize(("duration", "seconds"), [("500ms", 0.5), ("2s", 2.0), ("1.5s", 1.5), ("1h", None)])
    def test_a_break_lasts_as_long_as_it_says(
        self, server: TextToSpeechServer, duration: str, seconds: float | None
    ) -> None:
        ssml = f'<speak>Hello <break time="{duration}"/> there</speak>'
        if seconds is None:
            assert "Invalid SSML" in str(refusal(server, ssml=ssml))
            return
        without = seconds_of(synthesize(server, ssml="<speak>Hello there</speak>").audio_content)
        assert seconds_of(synthesize(server, ssml=ssml).audio_content) - without == pytest.approx(seconds, abs=0.15)

    @pytest.mark.parametrize(
        "ssml",
        [
            "Hello",
            "<speak>Hello",
            "<speak>Tom & Jerry</speak>",
            "<speak>1 < 2</speak>",
            "<p>Hello</p>",
            "<speak>Hello</speak><speak/>",
            "<speak>Hello <mark/></speak>",
            '<speak>Hello <mark name=""/></speak>',
            '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
            "<speak>\x00</speak>",
        ],
    )
    def test_invalid_ssml_is_refused(self, server: TextToSpeechServer, ssml: str) -> None:
        error = refusal(server, ssml=ssml)
        assert isinstance(error, BadRequest)
        assert "Invalid SSML. Newer voices like Neural2 require valid SSML." in str(error)

    @pytest.mark.parametrize(
        "ssml",
        [
            '<speak xmlns="http://www.w3.org/2001/10/synthesis" version="1.1">Hello</speak>',
            "<speak><p><s>Hello.</s></p></speak>",
            '<speak><audio src="https://example.com/a.mp3">Hello</audio></speak>',
            "<speak><unknown>Hello</unknown></speak>",
            "<speak>Tom &amp; Jerry &lt;3 &#8364;</speak>",
        ],
    )
    def test_valid_ssml_is_spoken(self, server: TextToSpeechServer, ssml: str) -> None:
        assert seconds_of(synthesize(server, ssml=ssml).audio_content) > 0.3

    def test_a_document_without_words_is_silence(self, server: TextToSpeechServer) -> None:
        assert seconds_of(synthesize(server, ssml="<speak/>").audio_content) < 0.1


class TestChirp3Hd:
    VOICE = "en-US-Chirp3-HD-Kore"

    def test_it_speaks_plain_text(self, server: TextToSpeechServer) -> None:
        assert seconds_of(synthesize(server, text="Hello.", voice=self.VOICE).audio_content) > 0.3

    def test_it_refuses_mp3_of_64_kbps(self, server: TextToSpeechServer) -> None:
        error = refusal(server, text="Hello.", voice=self.VOICE, encoding="MP3_64_KBPS")
        assert isinstance(error, BadRequest)
        assert str(error).endswith(
            "This voice currently only supports the following audio encodings: LINEAR16, MP3, OGG_OPUS, MULAW, ALAW"
        )

    def test_it_refuses_marks(self, server: TextToSpeechServer) -> None:
        error = refusal(server, ssml='<speak><mark name="a"/>Hello.</speak>', voice=self.VOICE)
        assert isinstance(error, BadRequest)
        assert "does not support SSML" in str(error)


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
        assert time.monotonic() - begin < 10
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
