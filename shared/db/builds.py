"""Builds: as the learner sees them, and the flip that activates one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.builds import Build
from shared.errors import NotFound

SELECT = """
    select
      builds.id,
      builds.job_id,
      builds.notebook_id,
      builds.created_at,
      coalesce(notebooks.current_build_id = builds.id, false) as is_active
    from public.builds
    join public.notebooks on notebooks.id = builds.notebook_id
"""


def get(transaction: Transaction, build_id: UUID) -> Build:
    """One build; raises NotFound."""
    cursor = transaction.cursor(row_factory=class_row(Build))
    build = cursor.execute(f"{SELECT} where builds.id = %s", [build_id]).fetchone()
    if build is None:
        raise NotFound
    return build


def newest(transaction: Transaction, notebook_id: UUID, after: Sequence[Any] | None, limit: int) -> list[Build]:
    """At most `limit` builds of a notebook, newest first, from behind the key `after` (created_at, id)."""
    cursor = transaction.cursor(row_factory=class_row(Build))
    cursor.execute(
        f"""
        {SELECT}
        where builds.notebook_id = %(notebook_id)s
          and (
            %(after)s::text[] is null
            or (builds.created_at, builds.id) < ((%(after)s::text[])[1]::timestamptz, (%(after)s::text[])[2]::uuid)
          )
        order by builds.created_at desc, builds.id desc
        limit %(limit)s
        """,
        {"notebook_id": notebook_id, "after": after, "limit": limit},
    )
    return cursor.fetchall()


def activate(transaction: Transaction, notebook_id: UUID, build_id: UUID) -> UUID | None:
    """Let the notebook play this build and no other, in the caller's transaction, which has locked the notebook.

    Returns the build that is replaced.
    """
    replaced = transaction.execute(
        "select current_build_id from public.notebooks where id = %s", [notebook_id]
    ).fetchone()
    transaction.execute(
        """
        update public.audio_segments
        set is_active = false
        where notebook_id = %(notebook_id)s
          and is_active
          and build_id <> %(build_id)s
        """,
        {"notebook_id": notebook_id, "build_id": build_id},
    )
    transaction.execute("update public.audio_segments set is_active = true where build_id = %s", [build_id])
    transaction.execute(
        "update public.notebooks set current_build_id = %(build_id)s where id = %(notebook_id)s",
        {"notebook_id": notebook_id, "build_id": build_id},
    )
    return replaced["current_build_id"] if replaced else None
