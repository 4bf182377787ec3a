"""Phrases."""

from typing import Literal
from uuid import UUID

from shared.dto.schema import Json, Output, PageQuery, UtcDatetime


class Phrase(Output):
    """English and Polish, and where they stand in the notebook."""

    id: UUID
    position: int
    en_text: str
    pl_text: str
    tokens: Json | None
    created_at: UtcDatetime
    updated_at: UtcDatetime


class PhrasePage(Output):
    """One page of phrases."""

    items: list[Phrase]
    next_cursor: str | None


class PhraseQuery(PageQuery):
    """Which phrases, in which order."""

    sort: Literal["position", "created_at"] = "position"
    order: Literal["asc", "desc"] = "asc"
