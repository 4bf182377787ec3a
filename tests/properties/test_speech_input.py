"""What Google is sent for any text whatever, and what is heard of it."""

from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from infra.local.text_to_speech import TextToSpeechServer
from shared.clients.text_to_speech import TextToSpeech
from shared.config import SpeechSettings
from shared.dto.speech import SpeechRequest
from shared.errors import TextTooLong, ValidationFailed
from shared.services.mp3 import encode
from shared.services.speech_input import speech_request, word_timings
from shared.services.spoken_text import spoken_text
from tests.properties.texts import CONTROL, PYTHON_TEXTS, ZERO_WIDTH, up_to

WITH_MARKS = ["en-US-Standard-C", "en-GB-Neural2-D", "pl-PL-Wavenet-F", "es-419-News-G"]
WITHOUT_MARKS = ["pl-PL-Chirp3-HD-Kore", "en-US-Chirp-HD-D", "en-US-Studio-O", "en-US-Brandnew9-A"]
VOICES = st.sampled_from(WITH_MARKS + WITHOUT_MARKS)
VOICES_HERE = st.sampled_from(["en-US-Standard-C", "en-GB-Neural2-D", "pl-PL-Standard-A", "pl-PL-Chirp3-HD-Kore"])
PLAIN_WORDS = st.text(alphabet="abcżółć'-,", min_size=1, max_size=9).filter(lambda word: word[0].isalpha())
MARKUP = ["*", "**", "***", "_", "__", "___", "~~", "`"]
TEXTS = up_to(2_000, PYTHON_TEXTS)
FOUR_BYTES = "\U00010400"
KEY = "AIzaLocalKeyOfATest"

SENT = {
    "a plain text": (
        "Hello, you!",
        '<speak><mark name="0"/>Hello, <mark name="1"/>you!</speak>',
        "Hello, you!",
    ),
    "an apostrophe and a hyphen": (
        "It's well-known",
        '<speak><mark name="0"/>It\'s <mark name="1"/>well-known</speak>',
        "It's well-known",
    ),
    "a dash": (
        "Tak — nie",
        '<speak><mark name="0"/>Tak — <mark name="1"/>nie</speak>',
        "Tak — nie",
    ),
    "markdown emphasis": (
        "I *really* **mean** ___it___",
        '<speak><mark name="0"/>I <mark name="1"/>really <mark name="2"/>mean <mark name="3"/>it</speak>',
        "I really mean it",
    ),
    "asterisks and underscores that are no emphasis": (
        "2 * 3 snake_case",
        '<speak><mark name="0"/>2 * <mark name="1"/>3 <mark name="2"/>snake_case</speak>',
        "2 * 3 snake_case",
    ),
    "<": (
        "1 < 2",
        '<speak><mark name="0"/>1 &lt; <mark name="1"/>2</speak>',
        "1 < 2",
    ),
    "&": (
        "Tom & Jerry &amp; Co",
        '<speak><mark name="0"/>Tom &amp; <mark name="1"/>Jerry <mark name="2"/>&amp;amp; <mark name="3"/>Co</speak>',
        "Tom & Jerry &amp; Co",
    ),
    "SSML of the learner's own": (
        "<break time='5s'/></speak>",
        '<speak><mark name="0"/>&lt;break <mark name="1"/>time=\'5s\'/&gt;&lt;/speak&gt;</speak>',
        "<break time='5s'/></speak>",
    ),
    "emoji": (
        "⏰ Pizza 🍕 now ❤️👨‍👩‍👧 2️⃣",
        '<speak><mark name="0"/>Pizza <mark name="1"/>now <mark name="2"/>2</speak>',
        "Pizza now 2",
    ),
    "nothing but emoji": (
        "🍕",
        "<speak>🍕</speak>",
        "🍕",
    ),
    "right-to-left marks and overrides": (
        "\u202eabc\u202c \u200f\u05e9\u05dc\u200e \u2067x\u2069",
        '<speak><mark name="0"/>abc <mark name="1"/>\u05e9\u05dc <mark name="2"/>x</speak>',
        "abc \u05e9\u05dc x",
    ),
    "zero-width characters": (
        "\ufeffHe\u200bl\u2060lo\u00ad wo\u034frld",
        '<speak><mark name="0"/>Hello <mark name="1"/>world</speak>',
        "Hello world",
    ),
    "control characters": (
        "be\x07ll\x00 \x1b[0m\ttab",
        '<speak><mark name="0"/>bell <mark name="1"/>[0m <mark name="2"/>tab</speak>',
        "bell [0m tab",
    ),
    "lone surrogates and characters that XML forbids": (
        "a\ud800b \uffffc",
        '<speak><mark name="0"/>ab <mark name="1"/>c</speak>',
        "ab c",
    ),
    "line breaks": (
        "One\r\ntwo\u2028 three",
        '<speak><mark name="0"/>One\n<mark name="1"/>two\n<mark name="2"/>three</speak>',
        "One\ntwo\nthree",
    ),
    "2,000 letters": (
        "ż" * 2_000,
        f'<speak><mark name="0"/>{"ż" * 2_000}</speak>',
        "ż" * 2_000,
    ),
    "2,000 characters whose marks do not fit": (
        "a b " * 500,
        ("a b " * 500).strip(),
        ("a b " * 500).strip(),
    ),
    "2,000 characters that XML spells longer": (
        "x&" * 1_000,
        "x&" * 1_000,
        "x&" * 1_000,
    ),
}


@pytest.mark.parametrize(("text", "with_marks", "plain"), SENT.values(), ids=SENT)
def test_google_is_sent(text: str, with_marks: str, plain: str) -> None:
    assert speech_request(text, WITH_MARKS[0]).content == with_marks
    assert speech_request(text, WITHOUT_MARKS[0]).content == plain


class TestSent:
    @given(TEXTS, VOICES)
    @example(FOUR_BYTES * 1_250, WITHOUT_MARKS[0])
    @example(FOUR_BYTES * 1_250 + "a", WITHOUT_MARKS[0])
    @example(FOUR_BYTES * 1_250 + "a", WITH_MARKS[0])
    @example("&" * 2_000, WITH_MARKS[0])
    def test_is_at_most_5000_bytes_or_the_text_is_too_long(self, text: str, voice_id: str) -> None:
        try:
            request = speech_request(text, voice_id)
        except TextTooLong:
            assert len(spoken_text(text).characters.encode()) > 5_000
        except ValidationFailed:
            assert not visible(text).strip()
        else:
            assert 0 < len(request.content.encode()) <= 5_000

    @given(TEXTS, st.sampled_from(WITH_MARKS))
    def test_ssml_is_well_formed_and_says_what_is_spoken(self, text: str, voice_id: str) -> None:
        root = ssml(text, voice_id)
        assert "".join(root.itertext()).split() == spoken_text(text).characters.split()
        assert {element.tag for element in root.iter()} <= {"speak", "mark"}

    @given(TEXTS, st.sampled_from(WITH_MARKS), st.sampled_from(WITHOUT_MARKS))
    def test_every_voice_says_the_same(self, text: str, marked: str, unmarked: str) -> None:
        assert "".join(ssml(text, marked).itertext()) == sent(text, unmarked).content

    @given(TEXTS, st.sampled_from(WITH_MARKS))
    def test_marks_are_numbered_and_stand_before_their_words(self, text: str, voice_id: str) -> None:
        words = sent(text, voice_id).words
        marks = list(ssml(text, voice_id))
        assert [mark.attrib for mark in marks] == [{"name": str(number)} for number in range(len(words))]
        assert all(first_letter(word.text) == first_letter(mark.tail) for word, mark in zip(words, marks, strict=True))

    @given(TEXTS, VOICES)
    def test_words_are_parts_of_the_text_one_after_the_other(self, text: str, voice_id: str) -> None:
        words = sent(text, voice_id).words
        assert all(text[word.offset :][: len(word.text)] == word.text for word in words)
        assert all(any(map(str.isalnum, word.text)) for word in words)
        assert all(word.offset + len(word.text) <= after.offset for word, after in pairwise(words))

    @given(TEXTS, VOICES)
    def test_nothing_in_it_is_invisible(self, text: str, voice_id: str) -> None:
        content = sent(text, voice_id).content
        assert not (ZERO_WIDTH | CONTROL - {"\n"}).intersection(content)
        assert content.encode().decode() == content

    @given(st.lists(PLAIN_WORDS, min_size=1, max_size=5), st.sampled_from(MARKUP))
    def test_what_is_emphasised_is_read_without_the_markup(self, words: list[str], markup: str) -> None:
        request = sent(f"see {markup}{' '.join(words)}{markup} now", WITHOUT_MARKS[0])
        assert request.content == f"see {' '.join(words)} now"

    @given(st.lists(PLAIN_WORDS, min_size=1, max_size=9).map(" ".join))
    def test_a_text_without_markup_is_read_whole(self, text: str) -> None:
        assert sent(text, WITHOUT_MARKS[0]).content == text


@pytest.fixture(scope="module")
def google() -> Iterator[TextToSpeech]:
    """Our client, and a server that checks what Google checks."""
    with TextToSpeechServer() as server:
        yield TextToSpeech(SpeechSettings(tts_endpoint=server.endpoint, tts_timeout_seconds=30))


@settings(max_examples=20)
@given(text=up_to(50, PYTHON_TEXTS), voice_id=VOICES_HERE)
def test_it_is_accepted_spoken_and_made_a_clip(google: TextToSpeech, text: str, voice_id: str) -> None:
    request = sent(text, voice_id)
    clip = encode(google.synthesize(KEY, request))
    timings = word_timings(request, clip)
    assert clip.duration_ms > 0
    assert timings is None or [timing.offset for timing in timings] == [word.offset for word in request.words]


def sent(text: str, voice_id: str) -> SpeechRequest:
    """What Google is sent; a text that cannot be sent is not looked at."""
    try:
        return speech_request(text, voice_id)
    except (TextTooLong, ValidationFailed):
        reject()


def ssml(text: str, voice_id: str) -> Element:
    """The document that Google is sent; a text whose marks do not fit is not looked at."""
    request = sent(text, voice_id)
    assume(request.is_ssml)
    root: Element = fromstring(request.content)
    return root


def visible(text: str) -> str:
    """The text without what nobody can see: zero-width characters, surrogates, what Unicode has not assigned."""
    return "".join(c for c in text if c.isspace() or (c.isprintable() and c not in ZERO_WIDTH))


def first_letter(text: str | None) -> str | None:
    """The first letter or digit."""
    return next(filter(str.isalnum, text or ""), None)
