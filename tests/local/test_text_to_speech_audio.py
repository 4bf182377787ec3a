"""What the local Text-to-Speech server makes of texts and audio configurations, judged by Google's own client."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest
from mutagen.mp3 import MONO, MP3

from infra.local.text_to_speech import TextToSpeechServer
from tests.local.text_to_speech import PHRASE, pitch_hz, post, refusal, samples_of, seconds_of, synthesize


@pytest.fixture(scope="module")
def server() -> Iterator[TextToSpeechServer]:
    with TextToSpeechServer() as server:
        yield server


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
        info: Any = MP3(io.BytesIO(audio)).info
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
        read, understood = (
            seconds_of(synthesize(server, text=text).audio_content) for text in ("<break time='9s'/>", "break time 9 s")
        )
        assert read == pytest.approx(understood, abs=2)

    def test_control_characters_command_nothing(self, server: TextToSpeechServer) -> None:
        command, text = (
            seconds_of(synthesize(server, text=f"{before}400S {PHRASE['en']}").audio_content)
            for before in ("\x01", " ")
        )
        assert command == pytest.approx(text, rel=0.05)

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
