"""What the models of the wire have in common."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

UtcDatetime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Json = Any
MAX_JSON_DEPTH = 64


def storable(value: Json) -> Json:
    """The value, unless a text in it has a NUL character, which Postgres cannot store, or it is nested too deep."""
    _check(value, MAX_JSON_DEPTH)
    return value


def _check(value: Json, depth: int) -> None:
    if depth < 0:
        raise ValueError(f"this is nested more than {MAX_JSON_DEPTH} deep")
    match value:
        case str() if "\x00" in value:
            raise ValueError("a NUL character cannot be stored; remove it")
        case dict():
            for key, item in value.items():
                _check(key, depth - 1)
                _check(item, depth - 1)
        case list():
            for item in value:
                _check(item, depth - 1)


def composed(value: Any) -> Any:
    """A text in NFC, so that what looks alike is alike; anything else as it is."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def whole(value: Any) -> Any:
    """A number without a fraction as an int, since JSON knows no difference between 1 and 1.0; anything else as it is.

    JSON Schema, https://json-schema.org/draft/2020-12/json-schema-core#section-4.2.3
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


# What the OpenAPI document says of texts that are storable, and of those that have something to see, too.
STORABLE = Field(json_schema_extra={"pattern": r"^[^\x00]*$"})
VISIBLE = Field(json_schema_extra={"pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"})

Cursor = Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable), STORABLE]


class Input(BaseModel):
    """A body that a client sends; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Parameters(BaseModel):
    """Path, query or header parameters; others that come along are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Output(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_serialization_defaults_required=True)


class PageQuery(Parameters):
    """Which page of a listing."""

    limit: int = Field(default=25, ge=1, le=100)
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before")


class NotebookPath(Parameters):
    """A notebook in the path."""

    notebook_id: UUID


class IdempotencyHeader(Parameters):
    """A key that makes repeating a request safe."""

    idempotency_key: UUID | None = Field(
        default=None, description="The same request with the same key gets the first answer again, for 24 hours"
    )


class ErrorBody(Output):
    """What went wrong."""

    code: str
    message: str
    details: dict[str, Json]


class ErrorAnswer(Output):
    """The one shape of every error."""

    error: ErrorBody


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)
