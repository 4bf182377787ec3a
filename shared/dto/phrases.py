"""Phrases."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.dto.notebooks import MAX_PHRASES, MAX_TEXT_LENGTH
from shared.dto.schema import VISIBLE, Input, Json, Output, PageQuery, Parameters, UtcDatetime, storable, whole

PhraseText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_LENGTH),
    AfterValidator(storable),
    VISIBLE,
]
Position = Annotated[int, Field(ge=-(2**31), lt=2**31, strict=True), BeforeValidator(whole)]
Tokens = Annotated[Json, AfterValidator(storable)]


class Phrase(Output):
    """English and Polish, and where they stand in the notebook."""

    id: UUID
    position: int
    en_text: str
    pl_text: str
    tokens: Json | None
    created_at: UtcDatetime
    updated_at: UtcDatetime


class PhrasePath(Parameters):
    """A phrase in the path."""

    phrase_id: UUID


class PhraseCreateRequest(Input):
    """A new phrase; without a position it goes last."""

    en_text: PhraseText
    pl_text: PhraseText
    position: Position | None = None
    tokens: Tokens | None = None


class PhrasePatchRequest(Input):
    """What shall change of a phrase; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # Made by a factory, the values that stand for "left out" are not in the OpenAPI document.
    en_text: PhraseText = Field(default_factory=str)
    pl_text: PhraseText = Field(default_factory=str)
    position: Position = Field(default_factory=int)
    tokens: Tokens | None = Field(default_factory=lambda: None)

    @model_validator(mode="after")
    def _changes_something(self) -> "PhrasePatchRequest":
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        return self


class PhraseMove(Input):
    """A phrase and where it goes."""

    phrase_id: UUID
    position: Position


class PhraseReorderRequest(Input):
    """Phrases of one notebook and where they go, all at once; two may swap."""

    moves: list[PhraseMove] = Field(min_length=1, max_length=MAX_PHRASES)

    @field_validator("moves")
    @classmethod
    def _name_each_once(cls, moves: list[PhraseMove]) -> list[PhraseMove]:
        if len({move.phrase_id for move in moves}) < len(moves):
            raise ValueError("a phrase is named twice")
        if len({move.position for move in moves}) < len(moves):
            raise ValueError("two phrases go to the same position")
        return moves


class PhrasesReordered(Output):
    """How many phrases were moved."""

    updated: int


class PhrasePage(Output):
    """One page of phrases."""

    items: list[Phrase]
    next_cursor: str | None


class PhraseQuery(PageQuery):
    """Which phrases, in which order."""

    sort: Literal["position", "created_at"] = "position"
    order: Literal["asc", "desc"] = "asc"
