"""Voices: what Google offers, and what the learner chose for each slot."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, StringConstraints, ValidationInfo, field_validator

from shared.dto.schema import VISIBLE, Input, Output, Parameters, UtcDatetime, storable
from shared.dto.speech import Voice

Language = Literal["en", "pl"]
PreviewText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(storable), VISIBLE
]
VoiceId = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}-[A-Za-z0-9-]{2,90}$")]


class VoiceSlot(StrEnum):
    """The four slots, in the order they are played."""

    EN1 = "EN1"
    EN2 = "EN2"
    EN3 = "EN3"
    PL = "PL"

    @property
    def language(self) -> Language:
        """The language that is spoken in this slot."""
        return "pl" if self is VoiceSlot.PL else "en"


class VoiceQuery(Parameters):
    """Which voices."""

    language: Language | None = None


class VoiceCatalogue(Output):
    """What Google offers to the learner's key."""

    items: list[Voice]


class SlotPath(Parameters):
    """A slot in the path."""

    slot: VoiceSlot


class UserVoicePutRequest(Input):
    """The voice that shall speak in a slot."""

    language: Language
    voice_id: VoiceId

    @field_validator("voice_id")
    @classmethod
    def _speaks_the_language(cls, voice_id: str, validated: ValidationInfo) -> str:
        language = validated.data.get("language")
        if language and voice_id.split("-")[0] != language:
            raise ValueError(f"the voice {voice_id} does not speak '{language}'; choose one whose id begins with it")
        return voice_id


class VoicePreviewRequest(Input):
    """A voice to be heard, and what it shall say."""

    voice_id: VoiceId
    text: PreviewText | None = None


class UserVoiceSlot(Output):
    """The voice of one slot."""

    id: UUID
    slot: VoiceSlot
    language: Language
    voice_id: str
    created_at: UtcDatetime


class UserVoices(Output):
    """The slots that have a voice: EN1, EN2, EN3, PL."""

    slots: list[UserVoiceSlot]
