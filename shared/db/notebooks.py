"""Notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row
from psycopg.sql import SQL

from shared.db.database import Transaction
from shared.dto.notebooks import AudioStatus, ImportLog, Notebook, NotebookQuery
from shared.errors import NotFound

# Names are sorted regardless of case, and byte by byte, so that the order does not depend on the server's language.
SORTS = {
    "updated_at": SQL("updated_at"),
    "created_at": SQL("created_at"),
    "name": SQL('lower(name) collate "C"'),
}
SORT_KEYS = {
    "updated_at": SQL("(%(after)s::text[])[1]::timestamptz"),
    "created_at": SQL("(%(after)s::text[])[1]::timestamptz"),
    "name": SQL('lower((%(after)s::text[])[1]) collate "C"'),
}
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


def listing(transaction: Transaction, query: NotebookQuery, after: Sequence[Any] | None, limit: int) -> list[Notebook]:
    """At most `limit` notebooks in the order of the query, from behind the key `after` (sort value, id)."""
    statement = SQL(
        """
        select id, name, current_build_id, last_generate_job_id, created_at, updated_at
        from public.notebooks
        where (%(q)s::text is null or position(lower(%(q)s) in lower(name)) > 0)
          and (
            %(after)s::text[] is null
            or ({sort}, id) {beyond} ({key}, (%(after)s::text[])[2]::uuid)
          )
        order by {sort} {order}, id {order}
        limit %(limit)s
        """
    ).format(
        sort=SORTS[query.sort],
        key=SORT_KEYS[query.sort],
        order=SQL(query.order),
        beyond=SQL(">" if query.order == "asc" else "<"),
    )
    cursor = transaction.cursor(row_factory=class_row(Notebook))
    return cursor.execute(statement, {"q": query.q, "after": after, "limit": limit}).fetchall()


def rename(transaction: Transaction, notebook_id: UUID, name: str) -> Notebook:
    """The notebook under its new name; raises NotFound and UniqueViolation."""
    cursor = transaction.cursor(row_factory=class_row(Notebook))
    cursor.execute(
        f"update public.notebooks set name = %s where id = %s returning {COLUMNS}",  # noqa: S608
        [name, notebook_id],
    )
    notebook = cursor.fetchone()
    if notebook is None:
        raise NotFound
    return notebook


def delete(transaction: Transaction, notebook_id: UUID) -> None:
    """Delete a notebook and all that is in it; its audio becomes garbage. Raises NotFound."""
    if not transaction.execute("delete from public.notebooks where id = %s", [notebook_id]).rowcount:
        raise NotFound


def lock(transaction: Transaction, notebook_id: UUID) -> None:
    """Let nobody else change the notebook until the transaction ends; raises NotFound."""
    row = transaction.execute("select from public.notebooks where id = %s for no key update", [notebook_id]).fetchone()
    if row is None:
        raise NotFound


@dataclass(frozen=True)
class KeptLog:
    """A rejected line, and by what it is sorted."""

    id: UUID
    created_at: datetime
    log: ImportLog


def import_logs(transaction: Transaction, notebook_id: UUID, after: Sequence[Any] | None, limit: int) -> list[KeptLog]:
    """At most `limit` rejected lines from behind the key `after` (created_at, line_no, id)."""
    rows = transaction.execute(
        """
        select id, created_at, line_no, raw_text, reason
        from public.import_logs
        where notebook_id = %(notebook_id)s
          and (
            %(after)s::text[] is null
            or (created_at, line_no, id) > (
              (%(after)s::text[])[1]::timestamptz, (%(after)s::text[])[2]::integer, (%(after)s::text[])[3]::uuid
            )
          )
        order by created_at, line_no, id
        limit %(limit)s
        """,
        {"notebook_id": notebook_id, "after": after, "limit": limit},
    ).fetchall()
    return [KeptLog(row["id"], row["created_at"], ImportLog.model_validate(row, from_attributes=False)) for row in rows]


def audio_status(transaction: Transaction, notebook_id: UUID) -> AudioStatus:
    """Counts of the active build; raises NotFound."""
    cursor = transaction.cursor(row_factory=class_row(AudioStatus))
    cursor.execute(
        """
        select notebook_id, build_id, complete_count, failed_count, missing_count, updated_at
        from public.notebook_audio_statuses
        where notebook_id = %s
        """,
        [notebook_id],
    )
    status = cursor.fetchone()
    if status is None:
        raise NotFound
    return status


def record_import_logs(transaction: Transaction, notebook_id: UUID, logs: Sequence[ImportLog]) -> None:
    """Keep the lines that an import rejected."""
    rows = orjson.dumps([log.model_dump() for log in logs]).decode()
    transaction.execute("select private.record_import_logs(%s, %s::jsonb)", [notebook_id, rows])
