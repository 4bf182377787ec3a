"""Calls of the functions that learners may call, and what comes of them."""

from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.abc import QueryNoTemplate

from tests.db.rows import ENCRYPTED_KEY, IDEMPOTENCY_KEY, KEY_HMAC
from tests.security.principals import NEWCOMER, Principal
from tests.security.world import World

# Every function that a learner may call, with ids of the owner's.
CALLS: dict[str, LiteralString] = {
    "private.ensure_user()": "select private.ensure_user()",
    "private.take_token(text,integer,integer)": "select private.take_token('read', 60, 5)",
    "private.claim_idempotency_key(text,uuid,bytea)": (
        "select * from private.claim_idempotency_key('import', %(idempotency_key)s, sha256('request'))"
    ),
    "private.store_idempotent_answer(text,uuid,bytea,integer,text,bytea)": (
        "select private.store_idempotent_answer("
        "'import', %(idempotency_key)s, sha256('request'), 200, null, 'another answer')"
    ),
    "private.record_import_logs(uuid,jsonb)": (
        "select private.record_import_logs("
        '%(notebook)s, \'[{"line_no": 1, "raw_text": "forged", "reason": "forged"}]\')'
    ),
    "private.record_key_test(bytea)": "select private.record_key_test(%(key_hmac)s)",
    "private.store_key(bytea,bytea,text)": (
        "select private.store_key(%(key_hmac)s, 'another key', 'SHA256:0000000000000000')"
    ),
    "private.read_encrypted_key()": "select private.read_encrypted_key()",
    "private.replace_encrypted_key(bytea,bytea)": (
        "select private.replace_encrypted_key(%(encrypted_key)s, 'encrypted anew')"
    ),
    "private.delete_key()": "select private.delete_key()",
    "private.start_job(uuid,integer)": "select private.start_job(%(notebook)s, 1800)",
    "private.cancel_job(uuid)": "select private.cancel_job(%(job)s)",
}


def call(world: World, who: Principal, function: str, of: str = "owner") -> list[tuple[Any, ...]]:
    """What someone is answered who calls the function of that name with the ids of a learner's."""
    name = next(name for name in CALLS if name.startswith(f"private.{function}("))
    return world.call(who, CALLS[name], arguments(world, of))


def arguments(world: World, of: str = "owner") -> dict[str, Any]:
    """Ids of a learner's, and values that are the same for all."""
    constants = {"idempotency_key": IDEMPOTENCY_KEY, "key_hmac": KEY_HMAC, "encrypted_key": ENCRYPTED_KEY}
    return {**world.learners[of].ids, **constants}


def value(world: World, query: QueryNoTemplate, of: str) -> Any:
    """The only value that a superuser finds about a learner, or None."""
    rows = world.execute(query, {"user": world.learners[of].user})
    return rows[0][0] if rows else None


def assert_refused(world: World, who: Principal, function: str, constraint: str) -> None:
    """That a call with the owner's ids is refused, for exactly this reason."""
    with pytest.raises(psycopg.Error) as refusal:
        call(world, who, function)
    assert refusal.value.diag.constraint_name == constraint


def answers(world: World) -> list[str]:
    """What a newcomer is answered by each function, or why not; ids that are new each time count as one."""
    return [answer(world, statement) for statement in CALLS.values()]


def answer(world: World, statement: LiteralString) -> str:
    """What a newcomer is answered; nothing of the call stays."""
    try:
        with world.undone():
            rows = world.call(NEWCOMER, statement, {"job": None, **arguments(world, "newcomer")})
    except (psycopg.errors.IntegrityError, psycopg.errors.NoDataFound) as error:
        return str(error.diag.constraint_name)
    return str([["an id" if isinstance(found, UUID) else found for found in row] for row in rows])


def everything(world: World) -> list[list[str]]:
    """All rows of all learners."""
    return [world.rows_about(learner) for learner in world.learners.values()]
