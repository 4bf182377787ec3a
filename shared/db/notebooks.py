"""Notebooks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.notebooks import ImportLog, Notebook
from shared.errors import NotFound

COLUMNS = "id, name, current_build_id, last_generate_job_id, created_at, updated_at"


def add(transaction: Transaction, name: str) -> Notebook:
    """A new, empty notebook; raises UniqueViolation or LimitExceeded."""
    cursor = transaction.cursor(row_factory=class_row(Notebook))
    cursor.execute(f"insert into public.notebooks (name) values (%s) returning {COLUMNS}", [name])  # noqa: S608
    return cursor.fetchall()[0]


def get(transaction: Transaction, notebook_id: UUID) -> Notebook:
    """One notebook; raises NotFound."""
    cursor = transaction.cursor(row_factory=class_row(Notebook))
    cursor.execute(f"select {COLUMNS} from public.notebooks where id = %s", [notebook_id])  # noqa: S608
    notebook = cursor.fetchone()
    if notebook is None:
        raise NotFound
    return notebook


def newest(transaction: Transaction, after: Sequence[Any] | None, limit: int) -> list[Notebook]:
    """At most `limit` notebooks, the last changed first, from behind the key `after` (updated_at, id)."""
    cursor = transaction.cursor(row_factory=class_row(Notebook))
    cursor.execute(
        f"""
        select {COLUMNS}
        from public.notebooks
        where %(after)s::text[] is null
          or (updated_at, id) < ((%(after)s::text[])[1]::timestamptz, (%(after)s::text[])[2]::uuid)
        order by updated_at desc, id desc
        limit %(limit)s
        """,  # noqa: S608
        {"after": after, "limit": limit},
    )
    return cursor.fetchall()


def record_import_logs(transaction: Transaction, notebook_id: UUID, logs: Sequence[ImportLog]) -> None:
    """Keep the lines that an import rejected."""
    rows = orjson.dumps([log.model_dump() for log in logs]).decode()
    transaction.execute("select private.record_import_logs(%s, %s::jsonb)", [notebook_id, rows])
