"""Phrases."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier, Placeholder

from shared.db.database import Transaction
from shared.dto.phrases import Phrase
from shared.dto.schema import Json
from shared.errors import NotFound

COLUMNS = "id, position, en_text, pl_text, tokens, created_at, updated_at"
MAX_POSITION = 2**31 - 1
TYPES = {"position": SQL("integer"), "created_at": SQL("timestamptz")}


def add_all(transaction: Transaction, notebook_id: UUID, pairs: Sequence[tuple[str, str]]) -> None:
    """Add pairs of English and Polish at positions 10, 20, 30...; raises LimitExceeded."""
    transaction.execute(
        """
        insert into public.phrases (notebook_id, position, en_text, pl_text)
        select %(notebook_id)s, 10 * pairs.number, pairs.en_text, pairs.pl_text
        from unnest(%(en_texts)s::text[], %(pl_texts)s::text[]) with ordinality as pairs (en_text, pl_text, number)
        """,
        {"notebook_id": notebook_id, "en_texts": [en for en, _ in pairs], "pl_texts": [pl for _, pl in pairs]},
    )


def listing(
    transaction: Transaction,
    notebook_id: UUID,
    sort: Literal["position", "created_at"],
    order: Literal["asc", "desc"],
    after: Sequence[Any] | None,
    limit: int,
) -> list[Phrase]:
    """At most `limit` phrases of a notebook from behind the key `after` (sort value, id)."""
    query = SQL(
        """
        select id, position, en_text, pl_text, tokens, created_at, updated_at
        from public.phrases
        where notebook_id = %(notebook_id)s
          and (
            %(after)s::text[] is null
            or ({sort}, id) {beyond} ((%(after)s::text[])[1]::{type}, (%(after)s::text[])[2]::uuid)
          )
        order by {sort} {order}, id {order}
        limit %(limit)s
        """
    ).format(sort=Identifier(sort), type=TYPES[sort], order=SQL(order), beyond=SQL(">" if order == "asc" else "<"))
    cursor = transaction.cursor(row_factory=class_row(Phrase))
    return cursor.execute(query, {"notebook_id": notebook_id, "after": after, "limit": limit}).fetchall()


def add(
    transaction: Transaction, notebook_id: UUID, en_text: str, pl_text: str, position: int | None, tokens: Json | None
) -> Phrase:
    """A new phrase of a notebook that is locked, last unless a position is given.

    Raises LimitExceeded, and UniqueViolation where the position is taken.
    """
    cursor = transaction.cursor(row_factory=class_row(Phrase))
    cursor.execute(
        f"""
        insert into public.phrases (notebook_id, position, en_text, pl_text, tokens)
        select
          %(notebook_id)s,
          coalesce(%(position)s::integer, least(coalesce(max(position), 0)::bigint + 10, {MAX_POSITION})::integer),
          %(en_text)s,
          %(pl_text)s,
          %(tokens)s::jsonb
        from public.phrases
        where notebook_id = %(notebook_id)s
        returning {COLUMNS}
        """,  # noqa: S608
        {
            "notebook_id": notebook_id,
            "position": position,
            "en_text": en_text,
            "pl_text": pl_text,
            "tokens": _json(tokens),
        },
    )
    return cursor.fetchall()[0]


def change(transaction: Transaction, phrase_id: UUID, changes: Mapping[str, Any]) -> Phrase:
    """The phrase with other values in the columns named; raises NotFound, and UniqueViolation for a taken position."""
    values = {**changes, "tokens": _json(changes.get("tokens"))}
    assignments = SQL(", ").join(SQL("{} = {}").format(Identifier(name), Placeholder(name)) for name in changes)
    cursor = transaction.cursor(row_factory=class_row(Phrase))
    cursor.execute(
        SQL("update public.phrases set {} where id = %(phrase_id)s returning {}").format(assignments, SQL(COLUMNS)),
        {**values, "phrase_id": phrase_id},
    )
    phrase = cursor.fetchone()
    if phrase is None:
        raise NotFound
    return phrase


def delete(transaction: Transaction, phrase_id: UUID) -> None:
    """Delete a phrase; its audio becomes garbage. Raises NotFound."""
    if not transaction.execute("delete from public.phrases where id = %s", [phrase_id]).rowcount:
        raise NotFound


def move(transaction: Transaction, notebook_id: UUID, positions: Mapping[UUID, int]) -> int:
    """Give phrases of a notebook other positions, all at once; returns how many there were.

    Raises UniqueViolation where a phrase that stays has one of the positions.
    """
    return transaction.execute(
        """
        update public.phrases
        set position = moves.position
        from unnest(%(phrase_ids)s::uuid[], %(positions)s::integer[]) as moves (phrase_id, position)
        where phrases.id = moves.phrase_id
          and phrases.notebook_id = %(notebook_id)s
        """,
        {"notebook_id": notebook_id, "phrase_ids": list(positions), "positions": list(positions.values())},
    ).rowcount


def _json(tokens: Json | None) -> str | None:
    return None if tokens is None else orjson.dumps(tokens).decode()
