"""Tasks: the wake-up calls that Cloud Tasks delivers to the workers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.dto.schema import Input


class Worker(StrEnum):
    """The workers that have a queue; the value names the queue and ends the worker's path."""

    FAN_OUT = "fan-out"
    SYNTHESIZE = "synthesize"
    FINALIZE_BUILD = "finalize-build"
    COLLECT_GARBAGE = "collect-garbage"


@dataclass(frozen=True)
class Task:
    """One call of a worker. Two tasks of one worker, body and nonce are the same task and are delivered once."""

    worker: Worker
    body: dict[str, str]
    nonce: str = ""
    """Tells a task from an earlier one that may have got lost: Cloud Tasks refuses names seen within the hour."""
    not_before: datetime | None = field(default=None, compare=False)


class JobTask(Input):
    """The job to work on."""

    job_id: UUID


class SegmentTask(Input):
    """The segment to make."""

    segment_id: UUID


class BuildTask(Input):
    """The build whose garbage is to be collected."""

    build_id: UUID


class SweepTask(Input):
    """Nothing to say."""
