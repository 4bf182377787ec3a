"""What the playback manifest is made of: two flat selects in one round trip, which beat a join."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db.database import Transaction
from shared.errors import NotFound


@dataclass(frozen=True)
class Playable:
    """A notebook's phrases in order, and its active complete segments in the order of slots within each phrase."""

    build_id: UUID | None
    phrases: list[dict[str, Any]]
    segments: list[dict[str, Any]]


def load(transaction: Transaction, notebook_id: UUID, phrase_ids: Sequence[UUID] | None) -> Playable:
    """What can be played of a notebook, or of these phrases in it; raises NotFound."""
    chosen = {"notebook_id": notebook_id, "phrase_ids": list(phrase_ids) if phrase_ids is not None else None}
    with transaction.pipeline():
        notebook = transaction.execute(
            "select current_build_id from public.notebooks where id = %(notebook_id)s", chosen
        )
        phrases = transaction.execute(
            """
            select id, position, en_text, pl_text, tokens
            from public.phrases
            where notebook_id = %(notebook_id)s
              and (%(phrase_ids)s::uuid[] is null or id = any (%(phrase_ids)s))
            order by position
            """,
            chosen,
        )
        segments = transaction.execute(
            """
            select phrase_id, voice_slot, path, duration_ms, word_timings
            from public.audio_segments
            where notebook_id = %(notebook_id)s
              and is_active
              and status = 'complete'
              and (%(phrase_ids)s::uuid[] is null or phrase_id = any (%(phrase_ids)s))
            order by voice_slot
            """,
            chosen,
        )
    row = notebook.fetchone()
    if row is None:
        raise NotFound
    return Playable(row["current_build_id"], phrases.fetchall(), segments.fetchall())
