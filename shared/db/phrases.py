"""Phrases."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from shared.db.database import Transaction
from shared.dto.phrases import Phrase

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
