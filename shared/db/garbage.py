"""Objects that are to be deleted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.db.database import Transaction


@dataclass(frozen=True)
class Garbage:
    """All objects below a prefix: of a build, or of one phrase in it."""

    build_id: UUID
    prefix: str
    is_in_use: bool

    @property
    def is_whole_build(self) -> bool:
        """Whether the prefix is `audio/{user}/{notebook}/{build}/` and not one phrase below it."""
        return self.prefix.count("/") == 4


def due(transaction: Transaction, build_id: UUID) -> list[Garbage]:
    """The garbage of a build that no signed URL can name any more, locked until the transaction ends."""
    cursor = transaction.cursor(row_factory=class_row(Garbage))
    cursor.execute(
        """
        select
          garbage.build_id,
          garbage.prefix,
          exists (
            select
            from public.audio_segments segments
            join public.builds on builds.id = segments.build_id
            join public.jobs on jobs.id = builds.job_id
            where segments.build_id = garbage.build_id
              and starts_with(segments.path, garbage.prefix)
              and (segments.is_active or jobs.state in ('queued', 'running'))
          ) as is_in_use
        from private.garbage
        where garbage.build_id = %s
          and garbage.not_before <= now()
        for update
        """,
        [build_id],
    )
    return cursor.fetchall()


def forget(transaction: Transaction, garbage: Garbage) -> None:
    """Take garbage off the list."""
    transaction.execute(
        "delete from private.garbage where build_id = %s and prefix = %s", [garbage.build_id, garbage.prefix]
    )


def due_builds(transaction: Transaction, limit: int) -> list[UUID]:
    """Builds with garbage that is due, the longest waiting first."""
    rows = transaction.execute(
        """
        select build_id
        from private.garbage
        where not_before <= now()
        group by build_id
        order by min(not_before)
        limit %s
        """,
        [limit],
    ).fetchall()
    return [row["build_id"] for row in rows]


def collectable_at(transaction: Transaction, build_id: UUID) -> datetime | None:
    """When the garbage of a build is due, if it has any."""
    row = transaction.execute(
        "select max(not_before) as not_before from private.garbage where build_id = %s", [build_id]
    ).fetchone()
    return row["not_before"] if row else None
