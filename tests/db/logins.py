"""Connections of the login roles."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from pydantic import SecretStr

from shared.auth import User
from shared.config import DatabaseSettings
from shared.db.database import Database as Connections
from shared.db.database import Transaction
from tests.database import Database

Connection = psycopg.Connection[Any]


@contextmanager
def connections_of(url: str, pool_size: int = 8, timeout_seconds: float = 10) -> Iterator[Connections]:
    """The pool of one login role."""
    settings = DatabaseSettings(
        database_url=SecretStr(url), database_pool_size=pool_size, database_timeout_seconds=timeout_seconds
    )
    connections = Connections(settings)
    try:
        yield connections
    finally:
        connections.close()


@contextmanager
def rolled_back(url: str) -> Iterator[Transaction]:
    """One transaction as whom the URL names, of which nothing stays."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@contextmanager
def signed_in(database: Database, user_id: UUID) -> Iterator[Transaction]:
    """One transaction of a learner, as the API makes it, of which nothing stays."""
    with rolled_back(database.api_url) as transaction:
        become(transaction, user_id)
        yield transaction


def become(transaction: Connection, user_id: UUID) -> None:
    """Go on as a learner until the transaction ends."""
    transaction.execute("set local role authenticated")
    claims = json.dumps(User(user_id).claims)
    transaction.execute("select set_config('request.jwt.claims', %s, true)", [claims])
