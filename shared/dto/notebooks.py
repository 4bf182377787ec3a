"""Notebooks and their import."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints

from shared.dto.schema import STORABLE, VISIBLE, Input, Output, PageQuery, UtcDatetime, composed, storable

NotebookName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(storable),
    BeforeValidator(composed),
    VISIBLE,
]
PartOfName = Annotated[
    str, StringConstraints(max_length=100), AfterValidator(storable), BeforeValidator(composed), STORABLE
]
MAX_PHRASES = 100
MAX_TEXT_LENGTH = 2000


class Notebook(Output):
    """A notebook of phrases."""

    id: UUID
    name: str
    current_build_id: UUID | None
    last_generate_job_id: UUID | None
    created_at: UtcDatetime
    updated_at: UtcDatetime


class NotebookQuery(PageQuery):
    """Which notebooks, in which order."""

    q: PartOfName | None = Field(default=None, description="A part of the name, in any case")
    sort: Literal["updated_at", "created_at", "name"] = "updated_at"
    order: Literal["asc", "desc"] = "desc"


class NotebookCreateRequest(Input):
    """A new, empty notebook."""

    name: NotebookName


class NotebookPatchRequest(Input):
    """Another name for a notebook."""

    name: NotebookName


class NotebookPage(Output):
    """One page of notebooks."""

    items: list[Notebook]
    next_cursor: str | None


class ImportRequest(Input):
    """A notebook to be made from lines of `EN text ::: PL text`."""

    name: NotebookName
    lines: list[str]
    normalize: StrictBool = True


class ImportLog(Output):
    """A line that was rejected: its number, counted from 1, its text and why."""

    line_no: int = Field(ge=1)
    raw_text: str
    reason: str


class ImportLogPage(Output):
    """One page of the lines that were rejected, in their order."""

    items: list[ImportLog]
    next_cursor: str | None


class ImportSummary(Output):
    """What became of the lines."""

    accepted: int
    rejected: int
    logs: list[ImportLog]


class NotebookImported(Output):
    """The new notebook and what became of the lines."""

    notebook: Notebook
    import_: ImportSummary = Field(alias="import", serialization_alias="import", validation_alias="import")


class AudioStatus(Output):
    """How much of the active build there is; phrases added since it was made are missing in all four slots."""

    notebook_id: UUID
    build_id: UUID | None
    complete_count: int
    failed_count: int
    missing_count: int
    updated_at: UtcDatetime
