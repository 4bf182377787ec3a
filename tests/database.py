"""Databases for tests: copies of one migrated template, each thrown away after its test."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from infra.local.supabase import Project

Params = Sequence[Any] | Mapping[str, Any] | None

COPIES = count(1)


class Database:
    """One database with every migration applied: its URL for each role, and a superuser's connection."""

    def __init__(self, project: Project) -> None:
        self.admin_url = project.admin_url
        self.migrator_url = project.migrator_url
        self.auth_url = project.auth_url
        self.api_url = project.api_url
        self.worker_url = project.worker_url
        self._admin = psycopg.connect(project.admin_url, autocommit=True, row_factory=dict_row)

    def fetch(self, query: LiteralString | sql.Composed, params: Params = None) -> list[dict[str, Any]]:
        """The rows of a query, run as superuser."""
        return self._admin.execute(query, params).fetchall()

    def execute(self, statement: LiteralString, params: Params = None) -> None:
        """Run a statement as superuser and commit it."""
        self._admin.execute(statement, params)

    def create_user(self, email: str | None = None) -> UUID:
        """Insert an account as Supabase Auth would, and return its id."""
        user_id = uuid4()
        self.execute(
            """
            insert into auth.users (
              id, aud, role, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
            )
            values (%s, 'authenticated', 'authenticated', %s, now(), '{}', '{}', now(), now())
            """,
            [user_id, email or f"{user_id}@example.com"],
        )
        return user_id

    def wait_until_someone_waits(self, seconds: float = 10) -> None:
        """Return once a transaction in this database waits for another's lock."""
        deadline = time.monotonic() + seconds
        waiting: LiteralString = """
            select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        """
        while not self.fetch(waiting):
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.01)

    def close(self) -> None:
        self._admin.close()


@contextmanager
def copy_of(template: Project) -> Iterator[Database]:
    """A database like the template, dropped at the end; nobody may be connected to the template meanwhile."""
    name = f"{template.database}_{next(COPIES)}"
    with psycopg.connect(template.server_url, autocommit=True) as admin:
        create = sql.SQL("create database {} template {} owner migrator")
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template.database)))
    database = Database(Project(template.server_url, name))
    try:
        yield database
    finally:
        database.close()
        drop(Project(template.server_url, name))


def drop(project: Project) -> None:
    """Drop a database, whoever is still connected to it."""
    with psycopg.connect(project.server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(project.database)))
