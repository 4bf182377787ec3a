"""What the local Text-to-Speech server makes of SSML, judged by Google's own client."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import texttospeech_v1beta1 as google_speech

from infra.local.text_to_speech import TextToSpeechServer
from tests.local.text_to_speech import LINEAR16, post, refusal, seconds_of, synthesize


@pytest.fixture(scope="module")
def server() -> Iterator[TextToSpeechServer]:
    with TextToSpeechServer() as server:
        yield server


def times_of(response: google_speech.SynthesizeSpeechResponse) -> dict[str, float]:
    return {point.mark_name: point.time_seconds for point in response.timepoints}


class TestSsml:
    def test_marks_come_back_in_order(self, server: TextToSpeechServer) -> None:
        ssml = '<speak><mark name="a"/>Hello <mark name="b"/>there, <mark name="c"/>you<mark name="end"/></speak>'
        answer = synthesize(server, ssml=ssml)
        times = times_of(answer)
        assert list(times) == ["a", "b", "c", "end"]
        assert times["a"] < 0.1 < times["b"] < times["c"] < times["end"] <= seconds_of(answer.audio_content)

    def test_a_mark_after_a_sentence_is_at_the_next_word(self, server: TextToSpeechServer) -> None:
        times = times_of(
            synthesize(server, ssml='<speak>Tom &amp; Jerry. <mark name="a"/>You. <mark name="b"/></speak>')
        )
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
