"""The playback manifest: what to play, in which order, and from where."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.dto.schema import Json, Output, Parameters, UtcDatetime
from shared.dto.speech import WordTiming
from shared.dto.voices import VoiceSlot


def _comma_separated(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PhraseIds = Annotated[
    tuple[UUID, ...] | None,
    BeforeValidator(_comma_separated),
    Field(max_length=100),
    WithJsonSchema({"type": "string", "pattern": f"^{UUID_PATTERN}(,{UUID_PATTERN}){{0,99}}$"}),
]
Speed = Literal["0.75", "0.9", "1", "1.25"]


class ManifestQuery(Parameters):
    """Which phrases, and hints for the player that change nothing else."""

    phrase_ids: PhraseIds = Field(default=None, description="Ids separated by commas; without them, all phrases")
    speed: Speed = "1"
    highlight: Literal["on", "off"] = "on"


class ManifestPhrase(Output):
    """A phrase as the player shows it."""

    id: UUID
    position: int
    en_text: str
    pl_text: str
    tokens: Json | None


class ManifestSegment(Output):
    """A clip and its signed URL."""

    slot: VoiceSlot
    status: Literal["complete"]
    url: str
    duration_ms: int
    word_timings: list[WordTiming] | None


class ManifestItem(Output):
    """A phrase and its clips, strictly EN1, EN2, EN3, PL; a slot without audio is left out."""

    phrase: ManifestPhrase
    segments: list[ManifestSegment] = Field(min_length=1, max_length=4)


class ManifestHints(Output):
    """The hints of the request."""

    speed: float
    highlight: Literal["on", "off"]


class PlaybackManifest(Output):
    """What to play; the URLs are valid until `expires_at` at least."""

    notebook_id: UUID
    build_id: UUID | None
    sequence: list[ManifestItem]
    expires_at: UtcDatetime
    hints: ManifestHints
