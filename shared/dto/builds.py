"""Builds: what one job made."""

from uuid import UUID

from shared.dto.schema import Output, Parameters, UtcDatetime


class BuildPath(Parameters):
    """A build in the path."""

    build_id: UUID


class Build(Output):
    """What one job made; the active one is played."""

    id: UUID
    job_id: UUID
    notebook_id: UUID
    created_at: UtcDatetime
    is_active: bool


class BuildPage(Output):
    """One page of builds, newest first."""

    items: list[Build]
    next_cursor: str | None
