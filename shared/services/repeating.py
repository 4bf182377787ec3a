"""Requests that can be repeated safely: a repeat gets the first answer, byte for byte."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel

from shared.db import idempotency
from shared.db.database import Transaction
from shared.db.idempotency import RepeatableRequest, StoredAnswer


@dataclass(frozen=True)
class Outcome:
    """An answer, and whether it is the repeat of an earlier one."""

    answer: StoredAnswer
    is_replayed: bool


def repeatable(operation: str, key: UUID | None, *content: BaseModel | UUID) -> RepeatableRequest | None:
    """The request, if it carries a key."""
    if key is None:
        return None
    parts: list[Any] = [part.model_dump(mode="json") if isinstance(part, BaseModel) else str(part) for part in content]
    return RepeatableRequest(operation, key, hashlib.sha256(orjson.dumps(parts)).digest())


def once(transaction: Transaction, request: RepeatableRequest | None, make: Callable[[], StoredAnswer]) -> Outcome:
    """The first answer to this request, made now if there is none; a refusal (an AppError) is not kept."""
    if request is None:
        return Outcome(make(), is_replayed=False)
    first = idempotency.claim(transaction, request)
    if first is not None:
        return Outcome(first, is_replayed=True)
    answer = make()
    idempotency.store(transaction, request, answer)
    return Outcome(answer, is_replayed=False)
