"""Jobs: one run of making a notebook's audio."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from shared.dto.schema import Input, Output, PageQuery, Parameters, UtcDatetime, whole

DEFAULT_TIMEOUT_SECONDS = 1800
TimeoutSeconds = Annotated[int, Field(ge=1, le=86400, strict=True), BeforeValidator(whole)]
FAILED_MESSAGE = "Nie udało się wygenerować audio. Spróbuj ponownie."


class JobState(StrEnum):
    """queued -> running -> succeeded | failed | canceled | timeout; the last four are for ever."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    TIMEOUT = "timeout"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class JobPath(Parameters):
    """A job in the path."""

    job_id: UUID


class JobQuery(PageQuery):
    """Which jobs."""

    state: JobState | None = None


class GenerateRebuildJobRequest(Input):
    """How long the job may take; null leaves it the most there is, a day."""

    timeout_sec: TimeoutSeconds | None = DEFAULT_TIMEOUT_SECONDS


class JobError(Output):
    """Why a job failed, and what to tell the learner."""

    code: str
    message: str


class JobProgress(Output):
    """Segments of the job's build by status."""

    total: int
    complete: int
    failed: int
    missing: int


class Job(Output):
    """One run of making a notebook's audio."""

    id: UUID
    user_id: UUID
    notebook_id: UUID
    type: Literal["GENERATE_REBUILD"]
    state: JobState
    started_at: UtcDatetime | None
    ended_at: UtcDatetime | None
    timeout_sec: int | None
    error: JobError | None
    created_at: UtcDatetime
    progress: JobProgress


class JobAccepted(Output):
    """The job that was started."""

    job: Job


class JobCanceled(Output):
    """The job that was canceled."""

    id: UUID
    state: Literal["canceled"] = "canceled"


class JobPage(Output):
    """One page of jobs, newest first."""

    items: list[Job]
    next_cursor: str | None
