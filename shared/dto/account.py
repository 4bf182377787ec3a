"""The account and the health of the system."""

from typing import Literal
from uuid import UUID

from shared.dto.schema import Output, UtcDatetime


class Health(Output):
    """Whether the system can serve."""

    status: Literal["ok", "degraded"]
    db: Literal["ok", "unreachable"]
    time: UtcDatetime


class Account(Output):
    """The learner who is signed in."""

    id: UUID
    created_at: UtcDatetime
