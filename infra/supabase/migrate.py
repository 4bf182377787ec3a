"""Brings a database up to date: `python -m infra.supabase.migrate`, with its URL in DATABASE_MIGRATION_URL.

Migrations are files `<YYYYMMDDHHMMSS>_<what>.sql`, applied in order, forward only, each in one transaction. What was
applied is recorded where the Supabase CLI records it, so both can be used on the same project.
https://supabase.com/docs/reference/cli/supabase-migration
"""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6175_6469_6F  # "audio"
LOCK_TIMEOUT = "5s"

FILE_NAME = re.compile(r"(?P<version>\d{14})_(?P<name>[a-z0-9_]+)\.sql")
TRANSACTION_CONTROL = re.compile(r"^(begin|start transaction|commit|rollback)\s*;", re.IGNORECASE | re.MULTILINE)

HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key,
  statements text[],
  name text
);
"""


class MigrationError(Exception):
    """The database was not brought up to date; the message names the migration and says why."""


@dataclass(frozen=True)
class Migration:
    """One file of the migrations folder."""

    version: str
    name: str
    statements: str

    @property
    def file_name(self) -> str:
        return f"{self.version}_{self.name}.sql"


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder in their order; raises MigrationError where a file does not fit."""
    if not folder.is_dir():
        raise MigrationError(f"There is no folder {folder}.")
    files = [file for file in folder.iterdir() if not file.name.startswith(".")]
    migrations = sorted(map(_read, files), key=lambda migration: migration.version)
    for earlier, later in pairwise(migrations):
        if earlier.version == later.version:
            raise MigrationError(f"{earlier.file_name} and {later.file_name} have the same version.")
    return migrations


def migrate(url: str, folder: Path = MIGRATIONS) -> list[Migration]:
    """Apply what is pending, as the role of `url`, and return it in order.

    Two runs at once apply each migration once. Raises MigrationError; what was applied before the error stays.
    """
    migrations = read_migrations(folder)
    applied: list[Migration] = []
    with psycopg.connect(url, autocommit=True) as connection:
        _refuse_superuser(connection)
        with connection.transaction():
            _take_turns(connection)
            connection.execute(HISTORY)
        while migration := _apply_next(connection, migrations):
            applied.append(migration)
    return applied


def set_login_passwords(url: str, *, api: str, worker: str) -> None:
    """Give the two login roles their passwords; each must have been made by a migration."""
    with psycopg.connect(url) as connection:
        _take_turns(connection)
        set_password(connection, "api_login", api)
        set_password(connection, "worker_login", worker)


def set_password(connection: Connection[Any], role: str, password: str) -> None:
    """Set a role's password as a SCRAM-SHA-256 verifier, so that no log of the server can show the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
    connection.execute(statement)


def _read(file: Path) -> Migration:
    match = FILE_NAME.fullmatch(file.name)
    if match is None:
        raise MigrationError(f"{file.name} is not named <YYYYMMDDHHMMSS>_<what>.sql, in lower case.")
    statements = file.read_text(encoding="utf-8")
    if TRANSACTION_CONTROL.search(statements):
        raise MigrationError(f"{file.name} begins or ends a transaction; each migration is one already.")
    return Migration(match["version"], match["name"], statements)


def _refuse_superuser(connection: Connection[Any]) -> None:
    if connection.info.parameter_status("is_superuser") == "on":
        raise MigrationError("Connect as the migrator, not as a superuser: Supabase gives no one a superuser.")


def _take_turns(connection: Connection[Any]) -> None:
    """Wait for the other runs; the lock ends with the transaction, so it works through a connection pooler too."""
    connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _apply_next(connection: Connection[Any], migrations: Sequence[Migration]) -> Migration | None:
    """Apply the oldest pending migration and return it; None if there is none."""
    with connection.transaction():
        connection.execute("reset all")  # a setting of the migration before must not reach into this one
        _take_turns(connection)
        migration = _next_pending(connection, migrations)
        if migration:
            _apply(connection, migration)
    return migration


def _next_pending(connection: Connection[Any], migrations: Sequence[Migration]) -> Migration | None:
    rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
    applied = {version for (version,) in rows}
    pending = next((migration for migration in migrations if migration.version not in applied), None)
    newest = max(applied, default="")
    if pending and pending.version < newest:
        raise MigrationError(
            f"{pending.file_name} is older than {newest}, which is applied already. Give it a new version."
        )
    return pending


def _apply(connection: Connection[Any], migration: Migration) -> None:
    try:
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        connection.execute(migration.statements.encode())
        connection.execute(
            """
            insert into supabase_migrations.schema_migrations (version, name, statements)
            values (%s, %s, %s)
            """,
            [migration.version, migration.name, [migration.statements]],
        )
    except psycopg.Error as error:
        raise MigrationError(f"{migration.file_name}{_line(migration, error)}: {error}") from error


def _line(migration: Migration, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    if position is None:
        return ""
    return f", line {migration.statements.count(chr(10), 0, int(position)) + 1}"


def main() -> None:
    """Apply what is pending and print it; ends with status 1 and one message if that fails."""
    url = os.environ.get("DATABASE_MIGRATION_URL")
    if not url:
        sys.exit("DATABASE_MIGRATION_URL is not set: the URL of the database, as the role that owns it.")
    try:
        applied = migrate(url)
    except (MigrationError, psycopg.OperationalError) as error:
        sys.exit(f"The database is not up to date. {error}")
    for migration in applied:
        print(f"applied {migration.file_name}")
    if not applied:
        print("nothing to apply")


if __name__ == "__main__":
    main()
