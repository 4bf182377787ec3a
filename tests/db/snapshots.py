"""What the database knows about a learner."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row
from psycopg.sql import SQL, Identifier

from tests.database import Database

TABLES = """
    select format('%I.%I', relnamespace::regnamespace::text, relname) as name
    from pg_class
    where relkind in ('r', 'p')
      and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    order by 1
"""


def tables(database: Database) -> list[str]:
    """The tables of the project, each with its schema."""
    return [row["name"] for row in database.fetch(TABLES)]


def rows_about(database: Database, user_id: UUID) -> dict[str, list[Any]]:
    """All rows, by table, in which the id of a learner occurs; tables without any are left out."""
    about: dict[str, list[Any]] = {}
    with psycopg.connect(database.admin_url, row_factory=scalar_row) as connection:
        for table in tables(database):
            query = SQL("select to_jsonb(t) from {} t where to_jsonb(t)::text like {} order by to_jsonb(t)::text")
            rows = connection.execute(query.format(Identifier(*table.split(".")), f"%{user_id}%")).fetchall()
            if rows:
                about[table] = rows
    return about
