"""Makes a database of a plain PostgreSQL server (15 to 18) what a Supabase project is, for this machine and the tests.

The superuser's URL is all it needs: who holds it may do anything, so the other roles' passwords are derived from its.
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import Connection, sql

from infra.supabase.migrate import MIGRATIONS, migrate, set_login_passwords, set_password

HERE = Path(__file__).parent
LOCK = 0x73757061_62617365  # "supabase"


@dataclass(frozen=True)
class Project:
    """One database of a server, and its URL for each role; `server_url` is the superuser's, of any database."""

    server_url: str
    database: str

    @property
    def admin_url(self) -> str:
        """The superuser's URL."""
        return urlsplit(self.server_url)._replace(path=f"/{self.database}").geturl()

    @property
    def migrator_url(self) -> str:
        """For migrations: not a superuser, as at Supabase."""
        return self._url("migrator")

    @property
    def auth_url(self) -> str:
        """For the auth server, which owns the schema `auth`."""
        return self._url("supabase_auth_admin")

    @property
    def api_url(self) -> str:
        """For the API functions."""
        return self._url("api_login")

    @property
    def worker_url(self) -> str:
        """For the workers."""
        return self._url("worker_login")

    def password(self, role: str) -> str:
        """The same at every start and in every database of a server."""
        secret = unquote(urlsplit(self.server_url).password or "")
        return hmac.digest(secret.encode(), role.encode(), hashlib.sha256).hex()

    def _url(self, role: str) -> str:
        parts = urlsplit(self.admin_url)
        address = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{role}:{self.password(role)}@{address}").geturl()


def open_project(admin_url: str, database: str, migrations: Path = MIGRATIONS) -> Project:
    """The project in `database`, made if it is missing, up to date, with every role able to log in.

    It may be called again at any time, and by several programs at once. Raises MigrationError.
    """
    with _taking_turns(admin_url) as admin:
        project = _bootstrap(admin, Project(admin_url, database))
        migrate(project.migrator_url, migrations)
        set_login_passwords(
            project.migrator_url, api=project.password("api_login"), worker=project.password("worker_login")
        )
    return project


def bootstrap(admin_url: str, database: str) -> Project:
    """What Supabase itself makes, before any migration; the roles of the migrations cannot log in yet."""
    with _taking_turns(admin_url) as admin:
        return _bootstrap(admin, Project(admin_url, database))


@contextmanager
def _taking_turns(admin_url: str) -> Iterator[Connection[Any]]:
    """A superuser's connection that holds a lock: roles are shared by all databases of a server."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("select pg_advisory_lock(%s)", [LOCK])
        yield admin


def _bootstrap(admin: Connection[Any], project: Project) -> Project:
    with admin.transaction():
        admin.execute(_statements("supabase_roles.sql"))
        for role in ("migrator", "supabase_auth_admin"):
            set_password(admin, role, project.password(role))
    _create_database(admin, project.database)
    with psycopg.connect(project.admin_url) as connection:
        if connection.execute("select to_regnamespace('auth') is null").fetchone() == (True,):
            connection.execute(_statements("supabase_bootstrap.sql"))
    return project


def _create_database(admin: Connection[Any], name: str) -> None:
    """Make it, owned by the migrator, unless it exists.

    Whatever the server's own locale, this one lowers Polish letters too, which unique names regardless of case rely on.
    """
    if admin.execute("select 1 from pg_catalog.pg_database where datname = %s", [name]).fetchone():
        return
    locale: LiteralString = "locale 'C.UTF-8'"
    if admin.info.server_version >= 17_00_00:
        locale = "locale 'C' locale_provider builtin builtin_locale 'C.UTF-8'"
    create = sql.SQL("create database {} owner migrator template template0 encoding 'UTF8' " + locale)
    admin.execute(create.format(sql.Identifier(name)))


def _statements(file_name: str) -> bytes:
    return (HERE / file_name).read_bytes()
