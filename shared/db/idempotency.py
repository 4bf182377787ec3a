"""Answers that are kept for 24 hours, so that a request can be repeated."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from shared.db.database import Transaction


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it went over the wire."""

    status: int
    location: str | None
    body: bytes


@dataclass(frozen=True)
class RepeatableRequest:
    """A request that carries an Idempotency-Key."""

    operation: str
    key: UUID
    sha256: bytes


def claim(transaction: Transaction, request: RepeatableRequest) -> StoredAnswer | None:
    """The first answer to this request, or None, and then the request is claimed until the transaction ends.

    Raises RequestInProgress where another transaction has claimed it, and IdempotencyMismatch where the key was used
    for another request.
    """
    cursor = transaction.cursor(row_factory=class_row(StoredAnswer))
    cursor.execute(
        "select status, location, body from private.claim_idempotency_key(%s, %s, %s)",
        [request.operation, request.key, request.sha256],
    )
    return cursor.fetchone()


def store(transaction: Transaction, request: RepeatableRequest, answer: StoredAnswer) -> None:
    """Keep the answer, if the transaction commits."""
    transaction.execute(
        "select private.store_idempotent_answer(%s, %s, %s, %s, %s, %s)",
        [request.operation, request.key, request.sha256, answer.status, answer.location, answer.body],
    )
