"""A database with rows of several learners, in which anybody can be anyone and nothing that is done stays."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.abc import QueryNoTemplate
from psycopg.sql import SQL, Composed, Identifier, Literal

from tests.database import Database
from tests.db.rows import Rows
from tests.security.principals import Principal

TABLES: LiteralString = """
    select relnamespace::regnamespace::text, relname::text
    from pg_class
    where relkind in ('r', 'p')
      and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    order by 1, 2
"""


@dataclass(frozen=True)
class Learner:
    """Someone with an account, and every id that leads to them."""

    user: UUID
    ids: Mapping[str, UUID] = field(default_factory=dict)

    def is_in(self, row: str) -> bool:
        """Whether a row, as text, is theirs."""
        return str(self.user) in row or any(str(value) in row for value in self.ids.values())


class World:
    """A superuser's connection to a database with the rows of these learners."""

    def __init__(self, connection: psycopg.Connection[Any], learners: Mapping[str, Learner]) -> None:
        self.connection = connection
        self.learners = learners

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside does not stay, and an error inside does no harm to what follows."""
        with self.connection.transaction(force_rollback=True):
            yield

    def execute(self, statement: QueryNoTemplate, params: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a statement, none where it returns none."""
        cursor = self.connection.execute(statement, params)
        return cursor.fetchall() if cursor.description else []

    def become(self, principal: Principal) -> None:
        """Go on as someone else until the transaction ends, exactly as if they had logged in."""
        self.connection.execute(
            SQL("{}; set local request.jwt.claims = {}; set local session authorization {}{}").format(
                SQL("reset session authorization; reset role"),
                Literal(self._claims(principal)),
                Identifier(principal.login),
                SQL("; set local role {}").format(Identifier(principal.role)) if principal.role else SQL(""),
            )
        )

    def become_superuser(self) -> None:
        """Go on as who logged in."""
        self.connection.execute("reset session authorization; reset role")

    def call(self, principal: Principal, statement: QueryNoTemplate, params: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a statement of someone's; after it, whatever came of it, superuser again."""
        self.become(principal)
        try:
            with self.connection.transaction():
                return self.execute(statement, params)
        finally:
            self.become_superuser()

    def rows_about(self, learner: Learner) -> list[str]:
        """All rows of all tables in which an id of this learner occurs."""
        return [row for (row,) in self.execute(self._every_row()) if learner.is_in(row)]

    def _every_row(self) -> Composed:
        tables = [
            SQL("select concat({}::text, ' ', to_jsonb(t)) as row from {} t").format(".".join(name), Identifier(*name))
            for name in self.execute(TABLES)
        ]
        return SQL(" union all ").join(tables) + SQL(" order by row")

    def _claims(self, principal: Principal) -> str:
        if principal.claims_of is None:
            return ""
        return json.dumps({"sub": str(self.learners[principal.claims_of].user), "role": "authenticated"})


@contextmanager
def peopled(database: Database) -> Iterator[World]:
    """The world of a fresh database: two learners with rows in every table, one with none, and one about to begin."""
    learners = _people(Rows(database))
    with psycopg.connect(database.admin_url, autocommit=True, prepare_threshold=None) as connection:
        yield World(connection, learners)


def _people(rows: Rows) -> dict[str, Learner]:
    owner, other = rows.possessions(), rows.possessions()
    _put_jobs_under_way(rows.database)
    return {
        "owner": Learner(owner.user, owner.ids()),
        "other": Learner(other.user, other.ids()),
        "stranger": Learner(rows.database.create_user()),
        "newcomer": _newcomer(rows),
    }


def _put_jobs_under_way(database: Database) -> None:
    """Only a job that is under way can be updated; the triggers would not let one begin again."""
    database.execute("delete from public.jobs where state = 'canceled'")
    database.execute("alter table public.jobs disable trigger jobs_step")
    database.execute("update public.jobs set state = 'running', ended_at = null, started_at = now()")
    database.execute("alter table public.jobs enable trigger jobs_step")


def _newcomer(rows: Rows) -> Learner:
    """A learner with all that a first job needs."""
    user = rows.database.create_user()
    rows.voices(user)
    rows.key(user)
    notebook = rows.notebook(user)
    return Learner(user, {"notebook": notebook, "phrase": rows.phrase(notebook)})
