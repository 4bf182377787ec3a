"""What Google is sent for a phrase, and when its words are heard."""

import time
from xml.etree import ElementTree

import pytest

from shared.dto.speech import Mp3, SpeechRequest, Word, requests_per_minute, voice_family
from shared.errors import TextTooLong, ValidationFailed, VoiceNotFound
from shared.services.speech_input import speech_request, word_timings
from shared.services.spoken_text import spoken_text

STANDARD = "en-US-Standard-C"
CHIRP3_HD = "pl-PL-Chirp3-HD-Kore"


def read(text: str) -> str:
    """What a voice that takes plain text is sent."""
    request = speech_request(text, CHIRP3_HD)
    assert not request.is_ssml
    return request.content


class TestVoiceIds:
    @pytest.mark.parametrize(
        ("voice_id", "family", "per_minute"),
        [
            ("en-US-Neural2-D", "Neural2", 1000),
            ("en-US-Standard-C", "Standard", 1000),
            ("pl-PL-Chirp3-HD-Kore", "Chirp3-HD", 200),
            ("en-US-Studio-O", "Studio", 500),
            ("en-US-Chirp-HD-D", "Chirp-HD", 200),
            ("es-419-News-G", "News", 1000),
            ("cmn-CN-Wavenet-A", "Wavenet", 1000),
            ("Kore", "unknown", 1000),
            ("en-US-", "unknown", 1000),
            ("", "unknown", 1000),
        ],
    )
    def test_a_voice_id_tells_its_family_and_its_quota(self, voice_id: str, family: str, per_minute: int) -> None:
        assert voice_family(voice_id) == family
        assert requests_per_minute(family) == per_minute

    def test_the_language_is_that_of_the_voice(self) -> None:
        assert speech_request("ok", "en-GB-Neural2-C").language_code == "en-GB"

    @pytest.mark.parametrize("voice_id", ["", "Kore", "en-US", "EN-us-Standard-C", "en-US-Standard-C\n", "en-US-<b>-C"])
    def test_an_id_that_cannot_be_googles_is_no_voice(self, voice_id: str) -> None:
        with pytest.raises(VoiceNotFound):
            speech_request("Hello", voice_id)


class TestSsml:
    def test_a_mark_stands_before_each_word(self) -> None:
        request = speech_request("Hello, you!", STANDARD)
        assert request.content == '<speak><mark name="0"/>Hello, <mark name="1"/>you!</speak>'
        assert request.words == (Word("Hello", 0), Word("you", 7))

    @pytest.mark.parametrize("family", ["Standard", "Wavenet", "Neural2", "News"])
    def test_families_that_know_marks_get_them(self, family: str) -> None:
        assert "<mark" in speech_request("Hello", f"en-US-{family}-C").content

    @pytest.mark.parametrize("family", ["Chirp3-HD", "Chirp-HD", "Studio", "Polyglot", "Brandnew9"])
    def test_all_others_get_plain_text(self, family: str) -> None:
        assert speech_request("Tom & Jerry", f"en-US-{family}-C") == SpeechRequest(
            f"en-US-{family}-C", "en-US", "Tom & Jerry"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "Tom & Jerry",
            "1 < 2 > 0",
            "<break time='5s'/> said </speak>",
            "]]> <![CDATA[ &amp; &#8364; <!-- x -->",
            "\"quoted\" 'text'",
            "bell\x07 \x00nul \x1b[0m \ufffe\uffff \ud800",
            "שלום \u202eabc\u202c \u200bd\u200de\ufeff",
            "🍕🇵🇱👨‍👩‍👧 pizza",
        ],
    )
    def test_any_text_makes_well_formed_ssml(self, text: str) -> None:
        root = ElementTree.fromstring(speech_request(text, STANDARD).content)  # noqa: S314  the test's own
        assert {element.tag for element in root.iter()} == {"speak", "mark"}
        assert "".join(root.itertext()) == read(text)

    def test_punctuation_that_stands_alone_is_no_word(self) -> None:
        request = speech_request("Yes — no", STANDARD)
        assert request.content == '<speak><mark name="0"/>Yes — <mark name="1"/>no</speak>'

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Hello, **big** world!", ["Hello", "big", "world"]),
            ("  „Cześć”, _powiedział_ [Jan](http://x.y). ", ["Cześć", "powiedział", "Jan"]),
            ("- item one", ["item", "one"]),
            ("play**ed** snake_case `x + y`", ["play**ed", "snake_case", "x", "y"]),
            (
                "a\u200bb e\u0301te\u0301 🍕 $5 it's well-known",
                ["a\u200bb", "e\u0301te\u0301", "$5", "it's", "well-known"],
            ),
        ],
    )
    def test_words_are_those_of_the_phrase_where_they_stand_in_it(self, text: str, words: list[str]) -> None:
        found = speech_request(text, STANDARD).words
        assert [word.text for word in found] == words
        assert all(text[word.offset :].startswith(word.text) for word in found)

    def test_a_decomposed_letter_stays_whole(self) -> None:
        assert speech_request("cafe\u0301!", STANDARD).words == (Word("cafe\u0301", 0),)

    def test_a_line_break_stays_one(self) -> None:
        assert read("One\r\n two\u2028three  four") == "One\ntwo\nthree four"


class TestLength:
    def test_a_text_whose_marks_do_not_fit_is_sent_without(self) -> None:
        text = "word " * 400
        request = speech_request(text, STANDARD)
        assert (request.is_ssml, request.words) == (False, ())
        assert request.content == text.strip()

    def test_the_longest_text_that_fits_with_marks_has_them(self) -> None:
        text = "a" * (5000 - len('<speak><mark name="0"/></speak>'))
        assert speech_request(text, STANDARD).is_ssml
        assert not speech_request(text + "a", STANDARD).is_ssml

    @pytest.mark.parametrize("voice_id", [STANDARD, CHIRP3_HD])
    def test_5000_bytes_are_not_too_long_and_5001_are(self, voice_id: str) -> None:
        assert speech_request("ż" * 2500, voice_id).content == "ż" * 2500
        with pytest.raises(TextTooLong):
            speech_request("ż" * 2500 + "a", voice_id)

    def test_what_is_not_spoken_does_not_count(self) -> None:
        assert read("Hi" + "\u200b" * 1998) == "Hi"


class TestMarkdown:
    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("I *really* mean it", "I really mean it"),
            ("**Bold**, _soft_ and ***both***.", "Bold, soft and both."),
            ("__init__ is `code`, ``too``", "init is code, too"),
            ("**bold *and* soft**", "bold and soft"),
            ("*_both_*", "both"),
            ("~~gone~~ here", "gone here"),
            ("See [the page](https://example.com/a_b_c).", "See the page."),
            ('![a cat](cat.png "A cat") sleeps', "a cat sleeps"),
            ("# Heading", "Heading"),
            ("- first\n* second\n> third", "first\nsecond\nthird"),
            ("she play**ed** and was **un**happy", "she played and was unhappy"),
            ("_a snake_case word_", "a snake_case word"),
            ("(*yes*)", "(yes)"),
        ],
    )
    def test_markup_is_not_read(self, text: str, spoken: str) -> None:
        assert read(text) == spoken

    @pytest.mark.parametrize(
        "text",
        [
            "snake_case and __x",
            "2 * 3 * 4",
            "2*3*4",
            "a*b*c",
            "5 - 3",
            "- 5 degrees",
            "-5°C",
            "# 1 hit",
            "C# and C++",
            "5 < 6 > 4",
            "this * and * that",
            "5* hotel, 4* food",
            "array[0](1",
            "He said [sic] (so)",
            "— Tak. — Nie.",
            "a ~ b ~~ c",
            "`",
            "100% & $5",
            "what?! #nofilter @home",
        ],
    )
    def test_what_only_looks_like_markup_is_read(self, text: str) -> None:
        assert read(text) == text

    @pytest.mark.parametrize("piece", ["*a ", "_a ", "*a*", "[a", "[[a](b)", "`a", "~~a", "**a* ", "_a_a", "- ", "![("])
    def test_hostile_markup_takes_no_time(self, piece: str) -> None:
        begin = time.process_time()
        spoken_text("x" + piece * (2000 // len(piece)))
        assert time.process_time() - begin < 1


class TestUnspeakable:
    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("Pizza 🍕!", "Pizza !"),
            ("Brawo👏🏽brawo", "Brawo brawo"),
            ("I ❤️ it", "I it"),
            ("\u202eabc\u202c \u200bd\u00ade\ufeff", "abc de"),
            ("a\x00b\x07 c\td", "ab c d"),
            ("20 °C, 5 €, №1 ½", "20 °C, 5 €, №1 ½"),
        ],
    )
    def test_what_cannot_be_read_is_left_out(self, text: str, spoken: str) -> None:
        assert read(text) == spoken

    @pytest.mark.parametrize("text", ["🍕", "?!", "…", "**", "%", "*?*"])
    def test_a_text_without_letters_is_left_to_the_voice(self, text: str) -> None:
        assert read(text) == text
        assert speech_request(text, STANDARD).words == ()

    @pytest.mark.parametrize("text", ["", "  \n", "\u200b\u202e", "\x00\x01", "\u00a0\ufeff"])
    def test_a_text_without_anything_visible_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationFailed):
            speech_request(text, STANDARD)


class TestWordTimings:
    REQUEST = speech_request("Hello, big world!", STANDARD)

    def clip(self, **marks: int) -> Mp3:
        return Mp3(
            b"", duration_ms=1500, sound_end_ms=1400, mark_ms={name.strip("m"): ms for name, ms in marks.items()}
        )

    def test_a_word_ends_where_the_next_begins_and_the_last_with_the_sound(self) -> None:
        timings = word_timings(self.REQUEST, self.clip(m0=50, m1=400, m2=700))
        assert timings
        assert [timing.model_dump() for timing in timings] == [
            {"text": "Hello", "offset": 0, "length": 5, "start_ms": 50, "end_ms": 400},
            {"text": "big", "offset": 7, "length": 3, "start_ms": 400, "end_ms": 700},
            {"text": "world", "offset": 11, "length": 5, "start_ms": 700, "end_ms": 1400},
        ]

    def test_a_mark_that_is_missing_means_no_timings(self) -> None:
        assert word_timings(self.REQUEST, self.clip(m0=50, m2=700)) is None

    def test_a_mark_that_goes_back_means_no_timings(self) -> None:
        assert word_timings(self.REQUEST, self.clip(m0=50, m1=400, m2=0)) is None

    def test_a_last_mark_after_the_sound_makes_a_word_without_length(self) -> None:
        timings = word_timings(self.REQUEST, self.clip(m0=50, m1=400, m2=1450))
        assert timings
        assert (timings[-1].start_ms, timings[-1].end_ms) == (1450, 1450)

    def test_plain_text_has_none(self) -> None:
        assert word_timings(speech_request("Hello", CHIRP3_HD), self.clip(m0=50)) is None
