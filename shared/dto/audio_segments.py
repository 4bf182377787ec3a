"""Audio segments: one MP3 per phrase and slot."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.dto.schema import Output, PageQuery, Parameters, UtcDatetime
from shared.dto.speech import WordTiming
from shared.dto.voices import VoiceSlot


class SegmentStatus(StrEnum):
    """What became of a segment."""

    COMPLETE = "complete"
    FAILED = "failed"
    MISSING = "missing"


ErrorCode = Literal[
    "invalid_key", "quota", "tts_timeout", "network", "text_too_long", "voice_not_found", "storage", "internal"
]


class AudioSegmentPath(Parameters):
    """A segment in the path."""

    audio_segment_id: UUID


class AudioSegmentQuery(PageQuery):
    """Which of the active segments."""

    phrase_id: UUID | None = None
    voice_slot: VoiceSlot | None = None
    status: SegmentStatus | None = None


class AudioSegment(Output):
    """One MP3: 22,050 Hz, 64 kbps, mono."""

    id: UUID
    phrase_id: UUID
    voice_slot: VoiceSlot
    build_id: UUID
    path: str
    duration_ms: int | None
    size_bytes: int | None
    sample_rate_hz: Literal[22050]
    bitrate_kbps: Literal[64]
    status: SegmentStatus
    error_code: ErrorCode | None
    word_timings: list[WordTiming] | None
    is_active: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime


class AudioSegmentPage(Output):
    """One page of active segments, in the order they are played."""

    items: list[AudioSegment]
    next_cursor: str | None
