"""Postgres: a small pool, and one transaction per request or step."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Literal

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from shared.auth import User
from shared.config import DatabaseSettings, RateLimitSettings, load
from shared.db.violations import translated
from shared.errors import AppError, RateLimited

Transaction = psycopg.Connection[DictRow]
Bucket = Literal["generate", "test", "preview", "write", "read"]


class Database:
    """Transactions of one login role. Connections are opened when they are first needed."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._url = settings.database_url.get_secret_value()
        self._timeout_seconds = settings.database_timeout_seconds
        self._connect_timeout_seconds = max(2, int(settings.database_timeout_seconds))
        self._opening = Lock()
        self._pool: ConnectionPool[Transaction] = ConnectionPool(
            self._url,
            min_size=0,
            max_size=settings.database_pool_size,
            timeout=settings.database_timeout_seconds,
            kwargs={
                "row_factory": dict_row,
                # Supavisor hands each transaction to any server connection, so none may keep prepared statements.
                "prepare_threshold": None,
                "connect_timeout": self._connect_timeout_seconds,
            },
            check=ConnectionPool.check_connection,
            open=False,
        )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction as the login role itself. Raises AppErrors, never the driver's."""
        with translated(), self._open_pool().connection(self._timeout_seconds) as connection:
            yield connection

    @contextmanager
    def as_user(self, user: User, bucket: Bucket | None = None) -> Iterator[Transaction]:
        """One transaction in which Postgres lets this learner do what is theirs, and nothing else.

        Spends a token of `bucket`, where one is named. Raises Unauthorized where the account is gone.
        """
        with self.transaction() as connection:
            self._become(connection, user)
            try:
                with translated():
                    if bucket:
                        spend(connection, bucket)
                    yield connection
            except AppError:
                connection.execute("rollback to savepoint refused")
                connection.commit()
                raise

    def is_reachable(self) -> bool:
        """Whether Postgres lets this role log in within the time limit.

        Asked on a connection of its own, since one of the pool's waits without end for a server that stopped answering.
        """
        try:
            psycopg.connect(self._url, connect_timeout=self._connect_timeout_seconds).close()
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _open_pool(self) -> ConnectionPool[Transaction]:
        with self._opening:
            self._pool.open()
        return self._pool

    @staticmethod
    def _become(connection: Transaction, user: User) -> None:
        with connection.pipeline():
            connection.execute("set local role authenticated")
            connection.execute(
                """
                select
                  set_config('request.jwt.claims', %s, true),
                  set_config('request.jwt.claim.sub', '', true),  -- the older setting, which auth.uid() prefers
                  set_config('statement_timeout', '10s', true)
                """,
                [json.dumps(user.claims)],
            )
            connection.execute("select private.ensure_user()")
            connection.execute("savepoint refused")


def spend(transaction: Transaction, bucket: Bucket) -> None:
    """Take a token from the learner's bucket, for good even if the request is refused; raises RateLimited if empty."""
    per_minute, burst = _rate(bucket)
    row = transaction.execute(
        "select private.take_token(%s, %s, %s) as wait_seconds", [bucket, per_minute, burst]
    ).fetchone()
    if row and row["wait_seconds"] > 0:
        raise RateLimited(retry_after_seconds=row["wait_seconds"])
    transaction.execute("savepoint refused")


@cache
def database() -> Database:
    """The database of this function; one pool for all functions of a process."""
    return Database(load(DatabaseSettings))


def _rate(bucket: Bucket) -> tuple[int, int]:
    settings = load(RateLimitSettings)
    rates: dict[Bucket, tuple[int, int]] = {
        "generate": (settings.rate_generate_per_minute, settings.rate_generate_burst),
        "test": (settings.rate_generate_per_minute, settings.rate_generate_burst),
        "preview": (settings.rate_generate_per_minute, settings.rate_generate_burst),
        "write": (settings.rate_write_per_minute, settings.rate_write_per_minute),
        "read": (settings.rate_read_per_minute, settings.rate_read_per_minute),
    }
    return rates[bucket]
