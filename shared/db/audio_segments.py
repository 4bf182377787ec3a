"""Audio segments: as the learner sees them, and as the workers make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.audio_segments import AudioSegment, SegmentStatus
from shared.dto.speech import WordTiming
from shared.dto.voices import VoiceSlot
from shared.errors import NotFound

SELECT = """
    select
      segments.id, segments.phrase_id, segments.voice_slot, segments.build_id, segments.path, segments.duration_ms,
      segments.size_bytes, segments.sample_rate_hz, segments.bitrate_kbps, segments.status, segments.error_code,
      segments.word_timings, segments.is_active, segments.created_at, segments.updated_at
    from public.audio_segments segments
"""


def get(transaction: Transaction, segment_id: UUID) -> AudioSegment:
    """One segment; raises NotFound."""
    cursor = transaction.cursor(row_factory=class_row(AudioSegment))
    segment = cursor.execute(f"{SELECT} where segments.id = %s", [segment_id]).fetchone()
    if segment is None:
        raise NotFound
    return segment


@dataclass(frozen=True)
class PlacedSegment:
    """A segment and the position of its phrase."""

    position: int
    segment: AudioSegment


def active(
    transaction: Transaction,
    notebook_id: UUID,
    *,
    phrase_id: UUID | None,
    voice_slot: VoiceSlot | None,
    status: SegmentStatus | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[PlacedSegment]:
    """At most `limit` active segments in the order they are played, from behind the key `after` (position, slot)."""
    rows = transaction.execute(
        f"""
        select phrases.position as phrase_position, segments.*
        from ({SELECT} where segments.notebook_id = %(notebook_id)s and segments.is_active) segments
        join public.phrases on phrases.id = segments.phrase_id
        where (%(phrase_id)s::uuid is null or segments.phrase_id = %(phrase_id)s)
          and (%(voice_slot)s::public.voice_slot_enum is null or segments.voice_slot = %(voice_slot)s)
          and (%(status)s::public.audio_status_enum is null or segments.status = %(status)s)
          and (
            %(after)s::text[] is null
            or (phrases.position, segments.voice_slot)
              > ((%(after)s::text[])[1]::integer, (%(after)s::text[])[2]::public.voice_slot_enum)
          )
        order by phrases.position, segments.voice_slot
        limit %(limit)s
        """,  # noqa: S608
        {
            "notebook_id": notebook_id,
            "phrase_id": phrase_id,
            "voice_slot": voice_slot,
            "status": status,
            "after": after,
            "limit": limit,
        },
    ).fetchall()
    return [PlacedSegment(row.pop("phrase_position"), AudioSegment.model_validate(row)) for row in rows]


@dataclass(frozen=True)
class MissingSegment:
    """A segment that is still to be made."""

    id: UUID
    voice_id: str


def missing(transaction: Transaction, job_id: UUID) -> list[MissingSegment]:
    """The segments of a job that are still to be made, in the order they will be played."""
    cursor = transaction.cursor(row_factory=class_row(MissingSegment))
    cursor.execute(
        """
        select segments.id, segments.voice_id
        from public.builds
        join public.audio_segments segments on segments.build_id = builds.id
        join public.phrases on phrases.id = segments.phrase_id
        where builds.job_id = %s
          and segments.status = 'missing'
        order by phrases.position, segments.voice_slot
        """,
        [job_id],
    )
    return cursor.fetchall()


@dataclass(frozen=True)
class Claim:
    """A segment that this worker alone may make while its lease lasts."""

    segment_id: UUID
    job_id: UUID
    user_id: UUID
    path: str
    voice_id: str
    text: str
    attempts: int
    encrypted_key: bytes | None


def claim(transaction: Transaction, segment_id: UUID, lease_seconds: int) -> Claim | None:
    """Lease a missing segment of a running job that is not late, and count the attempt; None where that cannot be."""
    cursor = transaction.cursor(row_factory=class_row(Claim))
    cursor.execute(
        """
        update public.audio_segments segments
        set attempts = segments.attempts + 1,
            claimed_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
        from public.builds
        join public.jobs on jobs.id = builds.job_id
        left join public.tts_credentials on tts_credentials.user_id = jobs.user_id,
        public.phrases
        where segments.id = %(segment_id)s
          and builds.id = segments.build_id
          and phrases.id = segments.phrase_id
          and segments.status = 'missing'
          and coalesce(segments.claimed_until, '-infinity') <= clock_timestamp()
          and jobs.state = 'running'
          and now() <= private.job_deadline(jobs.started_at, jobs.created_at, jobs.timeout_sec)
        returning
          segments.id as segment_id,
          jobs.id as job_id,
          segments.user_id,
          segments.path,
          segments.voice_id,
          case when segments.voice_slot = 'PL' then phrases.pl_text else phrases.en_text end as text,
          segments.attempts,
          tts_credentials.encrypted_key
        """,
        {"segment_id": segment_id, "lease_seconds": lease_seconds},
    )
    return cursor.fetchone()


@dataclass(frozen=True)
class Standing:
    """How a segment and its job stand."""

    job_id: UUID
    is_leased: bool
    lease_seconds_left: float


def standing(transaction: Transaction, segment_id: UUID) -> Standing | None:
    """How a segment stands, unless it or its job is gone or the job has ended."""
    cursor = transaction.cursor(row_factory=class_row(Standing))
    cursor.execute(
        """
        select
          jobs.id as job_id,
          segments.status = 'missing' and coalesce(segments.claimed_until > clock_timestamp(), false) as is_leased,
          greatest(0, coalesce(extract(epoch from segments.claimed_until - clock_timestamp()), 0))::float
            as lease_seconds_left
        from public.audio_segments segments
        join public.builds on builds.id = segments.build_id
        join public.jobs on jobs.id = builds.job_id
        where segments.id = %s
          and jobs.state = 'running'
        """,
        [segment_id],
    )
    return cursor.fetchone()


def complete(
    transaction: Transaction,
    segment_id: UUID,
    *,
    duration_ms: int,
    size_bytes: int,
    text_sha256: bytes,
    word_timings: Sequence[WordTiming] | None,
) -> None:
    """Record that the MP3 of a missing segment is stored."""
    transaction.execute(
        """
        update public.audio_segments
        set status = 'complete',
            duration_ms = %(duration_ms)s,
            size_bytes = %(size_bytes)s,
            text_sha256 = %(text_sha256)s,
            word_timings = %(word_timings)s::jsonb,
            claimed_until = null
        where id = %(segment_id)s
          and status = 'missing'
        """,
        {
            "segment_id": segment_id,
            "duration_ms": duration_ms,
            "size_bytes": size_bytes,
            "text_sha256": text_sha256,
            "word_timings": _json([timing.model_dump() for timing in word_timings]) if word_timings else None,
        },
    )


FAIL = """
    update public.audio_segments
    set status = 'failed',
        error_code = %(error_code)s,
        error_details = %(details)s::jsonb,
        claimed_until = null
    where status = 'missing'
"""


def fail(transaction: Transaction, segment_id: UUID, error_code: str, message: str) -> None:
    """Record that a missing segment cannot be made."""
    transaction.execute(
        f"{FAIL} and id = %(segment_id)s",
        {"segment_id": segment_id, "error_code": error_code, "details": _json({"message": message})},
    )


def fail_all(transaction: Transaction, build_id: UUID, error_code: str, message: str) -> None:
    """Record that none of a build's missing segments can be made."""
    transaction.execute(
        f"{FAIL} and build_id = %(build_id)s",
        {"build_id": build_id, "error_code": error_code, "details": _json({"message": message})},
    )


def release(transaction: Transaction, segment_id: UUID, wait_seconds: float) -> None:
    """Give up the lease; nobody may try again before `wait_seconds` have passed."""
    transaction.execute(
        """
        update public.audio_segments
        set claimed_until = clock_timestamp() + make_interval(secs => %(wait_seconds)s)
        where id = %(segment_id)s
          and status = 'missing'
        """,
        {"segment_id": segment_id, "wait_seconds": wait_seconds},
    )


def is_any_missing(transaction: Transaction, job_id: UUID) -> bool:
    """Whether a segment of the job is still to be made."""
    row = transaction.execute(
        """
        select
        from public.builds
        join public.audio_segments segments on segments.build_id = builds.id
        where builds.job_id = %s
          and segments.status = 'missing'
        limit 1
        """,
        [job_id],
    ).fetchone()
    return row is not None


@dataclass(frozen=True)
class Outcome:
    """What became of a build's segments."""

    complete: int
    failed: int
    missing: int
    most_frequent_error: str | None


def outcome(transaction: Transaction, build_id: UUID) -> Outcome:
    """Counts by status, and the error code that most failed segments share."""
    cursor = transaction.cursor(row_factory=class_row(Outcome))
    cursor.execute(
        """
        select
          count(*) filter (where status = 'complete') as complete,
          count(*) filter (where status = 'failed') as failed,
          count(*) filter (where status = 'missing') as missing,
          mode() within group (order by error_code) as most_frequent_error
        from public.audio_segments
        where build_id = %s
        """,
        [build_id],
    )
    return cursor.fetchall()[0]


def delete_of(transaction: Transaction, build_id: UUID) -> None:
    """Delete the segments of a build whose objects are being collected."""
    transaction.execute("delete from public.audio_segments where build_id = %s", [build_id])


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
