"""What Google is sent for a phrase, and which of its words is heard when. No other module decides either.

Voices of the MARKED_FAMILIES get SSML with a `<mark>` before each word, whose times come back with the audio; marks are
the one tag that Google does not bill (https://cloud.google.com/text-to-speech/pricing). All others get plain text:
Chirp3-HD knows no marks and Studio none either (https://cloud.google.com/text-to-speech/docs/ssml), and an unknown
family is safe with plain text.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple
from unicodedata import category
from xml.sax.saxutils import escape

from shared.dto.speech import Mp3, SpeechRequest, Word, WordTiming, voice_family, voice_language_code
from shared.errors import TextTooLong, VoiceNotFound
from shared.services.spoken_text import SpokenText, spoken_text

MARKED_FAMILIES = frozenset({"Standard", "Wavenet", "Neural2", "News"})
LIMIT_BYTES = 5_000  # https://cloud.google.com/text-to-speech/quotas, "Content limits"


class Token(NamedTuple):
    """A part of the spoken text between two spaces, and the space before it; `word` is None for bare punctuation."""

    space: str
    text: str
    word: Word | None


def speech_request(text: str, voice_id: str) -> SpeechRequest:
    """What to ask Google for, so that the voice reads the text as a person would.

    Raises VoiceNotFound for an id that cannot be Google's, TextTooLong for more than Google takes at once, and
    ValidationFailed for a text without anything to be read.
    """
    language_code = voice_language_code(voice_id)
    if language_code is None:
        raise VoiceNotFound
    tokens = list(_tokens(text, spoken_text(text)))
    if voice_family(voice_id) in MARKED_FAMILIES and _fits(ssml := _ssml(tokens)):
        words = tuple(token.word for token in tokens if token.word)
        return SpeechRequest(voice_id, language_code, ssml, is_ssml=True, words=words)
    plain = "".join(token.space + token.text for token in tokens)
    if not _fits(plain):
        raise TextTooLong
    return SpeechRequest(voice_id, language_code, plain)


def word_timings(request: SpeechRequest, mp3: Mp3) -> list[WordTiming] | None:
    """When each word is heard in the clip, or None where Google did not say so for every one of them in order.

    Google is known to leave marks out or to put them at zero
    (https://github.com/googleapis/nodejs-text-to-speech/issues/470): no highlight is better than one that jumps.
    """
    starts = [mp3.mark_ms.get(str(number)) for number in range(len(request.words))]
    known = [start for start in starts if start is not None]
    if not known or len(known) < len(starts) or any(later < earlier for earlier, later in pairwise(known)):
        return None
    ends = [*known[1:], max(mp3.sound_end_ms, known[-1])]
    return [
        WordTiming(text=word.text, offset=word.offset, length=len(word.text), start_ms=start, end_ms=end)
        for word, start, end in zip(request.words, known, ends, strict=True)
    ]


def _tokens(text: str, spoken: SpokenText) -> Iterator[Token]:
    """The spoken text in parts that know where they stand in `text`."""
    space = ""
    for start, stop in spoken.parts():
        part = spoken.characters[start:stop]
        if part.isspace():
            space = "\n" if "\n" in part else " "
            continue
        yield Token(space, part, _word(text, spoken, start, stop))


def _word(text: str, spoken: SpokenText, start: int, stop: int) -> Word | None:
    """The word without the punctuation around it; None where there is no letter and no digit."""
    if not any(character.isalnum() for character in spoken.characters[start:stop]):
        return None
    inner = [place for place in range(start, stop) if not category(spoken.characters[place]).startswith("P")]
    first, last = spoken.positions[inner[0]], spoken.positions[inner[-1]]
    return Word(text[first : last + 1], first)


def _ssml(tokens: list[Token]) -> str:
    parts, number = [], 0
    for token in tokens:
        mark = ""
        if token.word:
            mark, number = f'<mark name="{number}"/>', number + 1
        parts.append(token.space + mark + escape(token.text))
    return f"<speak>{''.join(parts)}</speak>"


def _fits(content: str) -> bool:
    return len(content.encode()) <= LIMIT_BYTES
