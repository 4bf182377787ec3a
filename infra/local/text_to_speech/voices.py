"""The voices on offer: ids that Google has too, each with an espeak-ng voice of its own behind it."""

from dataclasses import dataclass
from typing import Literal

from infra.local.text_to_speech.espeak import Style
from shared.dto.speech import voice_family

NATURAL_SAMPLE_RATE_HZ = 24_000


@dataclass(frozen=True, slots=True)
class LocalVoice:
    """A voice: Google's id and gender, and how espeak-ng speaks it."""

    name: str
    gender: Literal["FEMALE", "MALE"]
    style: Style

    @property
    def language_code(self) -> str:
        """The language that the id begins with."""
        return "-".join(self.name.split("-")[:2])

    @property
    def is_chirp3_hd(self) -> bool:
        """Whether it belongs to the family that takes neither every encoding nor SSML marks."""
        return voice_family(self.name) == "Chirp3-HD"


VOICES = (
    LocalVoice("en-US-Standard-B", "MALE", Style("en-us+m3", 165, 40)),
    LocalVoice("en-US-Standard-C", "FEMALE", Style("en-us+f2", 160, 55)),
    LocalVoice("en-US-Neural2-D", "MALE", Style("en-us+m7", 150, 30)),
    LocalVoice("en-US-Neural2-F", "FEMALE", Style("en-us+f4", 175, 60)),
    LocalVoice("en-US-Studio-O", "FEMALE", Style("en-us+f1", 145, 45)),
    LocalVoice("en-US-Chirp3-HD-Charon", "MALE", Style("en-us+m2", 155, 20)),
    LocalVoice("en-US-Chirp3-HD-Kore", "FEMALE", Style("en-us+f3", 170, 70)),
    LocalVoice("en-GB-Standard-A", "FEMALE", Style("en-gb-x-rp+f1", 135, 60)),
    LocalVoice("en-GB-Standard-B", "MALE", Style("en-gb-x-rp+m4", 160, 65)),
    LocalVoice("en-GB-Neural2-C", "FEMALE", Style("en-gb-x-rp+f5", 165, 50)),
    LocalVoice("en-GB-Neural2-D", "MALE", Style("en-gb-x-rp+m6", 145, 35)),
    LocalVoice("en-GB-Chirp3-HD-Aoede", "FEMALE", Style("en-gb-x-rp+f4", 180, 80)),
    LocalVoice("en-GB-Chirp3-HD-Puck", "MALE", Style("en-gb-x-rp+m8", 175, 50)),
    LocalVoice("de-DE-Standard-A", "FEMALE", Style("de+f2", 150, 50)),  # of a language that nobody here learns
    LocalVoice("pl-PL-Standard-A", "FEMALE", Style("pl+f2", 145, 50)),
    LocalVoice("pl-PL-Standard-B", "MALE", Style("pl+m3", 155, 40)),
    LocalVoice("pl-PL-Wavenet-D", "FEMALE", Style("pl+f4", 175, 70)),
    LocalVoice("pl-PL-Chirp3-HD-Charon", "MALE", Style("pl+m7", 145, 25)),
    LocalVoice("pl-PL-Chirp3-HD-Kore", "FEMALE", Style("pl+f3", 160, 70)),
)
VOICES_BY_NAME = {voice.name.lower(): voice for voice in VOICES}
