"""What the models of the wire have in common."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

UtcDatetime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Json = Any


def without_nul(value: Json) -> Json:
    """The value, unless a text in it has a NUL character, which Postgres cannot store."""
    match value:
        case str() if "\x00" in value:
            raise ValueError("a NUL character cannot be stored; remove it")
        case dict():
            for key, item in value.items():
                without_nul(key)
                without_nul(item)
        case list():
            for item in value:
                without_nul(item)
    return value


PlainText = Annotated[str, AfterValidator(without_nul)]


class Input(BaseModel):
    """A body that a client sends; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Parameters(BaseModel):
    """Path, query or header parameters; others that come along are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Output(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class PageQuery(Parameters):
    """Which page of a listing."""

    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=1000, description="`next_cursor` of the page before")


class NotebookPath(Parameters):
    """A notebook in the path."""

    notebook_id: UUID


class IdempotencyHeader(Parameters):
    """A key that makes repeating a request safe."""

    idempotency_key: UUID | None = None


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
