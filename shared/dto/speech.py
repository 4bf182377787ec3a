"""What the layers tell each other about speech: voices, what Google is asked to say, and what comes back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from shared.dto.schema import Output

SAMPLE_RATE_HZ = 22_050

# Google's voice ids are a BCP-47 language, a family and a name: en-US-Neural2-D, pl-PL-Chirp3-HD-Kore, es-419-News-G.
VOICE_ID = re.compile(r"(?P<language_code>[a-z]{2,3}-[A-Z0-9]{2,3})-(?P<family>[A-Za-z0-9]+(?:-HD)?)-(?P<name>\w+)")
UNKNOWN_FAMILY = "unknown"

# https://cloud.google.com/text-to-speech/quotas, "Requests limit"
REQUESTS_PER_MINUTE = {"Studio": 500, "Chirp3-HD": 200, "Chirp-HD": 200}
REQUESTS_PER_MINUTE_OF_MOST = 1_000

Gender = Literal["FEMALE", "MALE", "NEUTRAL", "UNSPECIFIED"]


def voice_language_code(voice_id: str) -> str | None:
    """The language that a voice id begins with, as in `en-US`; None where the id is not of Google's form."""
    match = VOICE_ID.fullmatch(voice_id)
    return match["language_code"] if match else None


def voice_family(voice_id: str) -> str:
    """The family in a voice id, as in `Neural2` or `Chirp3-HD`; `unknown` where the id is not of Google's form."""
    match = VOICE_ID.fullmatch(voice_id)
    return match["family"] if match else UNKNOWN_FAMILY


def requests_per_minute(family: str) -> int:
    """How often a project may ask Google for voices of this family, unless its quota was changed."""
    return REQUESTS_PER_MINUTE.get(family, REQUESTS_PER_MINUTE_OF_MOST)


class Voice(Output):
    """A voice that Google offers."""

    voice_id: str
    language_code: str
    gender: Gender
    family: str
    natural_sample_rate_hz: int


class WordTiming(Output):
    """When a word of the phrase is heard in its clip.

    `offset` and `length` count Unicode code points of the phrase as it is stored.
    """

    text: str
    offset: int = Field(ge=0)
    length: int = Field(ge=1)
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the phrase as it is stored; `offset` counts code points."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What Google is asked to say. In SSML, the mark named `n` stands before `words[n]`; plain text has no words."""

    voice_id: str
    language_code: str
    content: str
    is_ssml: bool = False
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono 16-bit samples, little-endian, at SAMPLE_RATE_HZ, and when each mark is reached."""

    samples: bytes
    mark_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mp3:
    """A clip, with times in milliseconds from its start: when each mark is reached, and when the last sound ends."""

    data: bytes
    duration_ms: int
    sound_end_ms: int
    mark_ms: Mapping[str, int] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """The size of the file."""
        return len(self.data)
