"""Notebooks and their import."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.dto.schema import Input, Output, UtcDatetime

NotebookName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")
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


class NotebookPage(Output):
    """One page of notebooks."""

    items: list[Notebook]
    next_cursor: str | None


class ImportRequest(Input):
    """A notebook to be made from lines of `EN text ::: PL text`."""

    name: NotebookName
    lines: list[str]
    normalize: bool = True


class ImportLog(Output):
    """A line that was rejected: its number, counted from 1, its text and why."""

    line_no: int = Field(ge=1)
    raw_text: str
    reason: str


class ImportSummary(Output):
    """What became of the lines."""

    accepted: int
    rejected: int
    logs: list[ImportLog]


class NotebookImported(Output):
    """The new notebook and what became of the lines."""

    notebook: Notebook
    import_: ImportSummary = Field(alias="import", serialization_alias="import", validation_alias="import")
