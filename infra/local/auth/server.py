"""The auth server as the rest of the local system holds it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from infra.local.auth.app import auth_app
from infra.local.auth.keys import SigningKey
from infra.local.auth.service import AuthService
from infra.local.auth.tokens import Clock, TokenIssuer, wall_clock

DEV_TOKEN_LIFE = timedelta(minutes=5)


class AuthServer:
    """The auth server of the project at `public_url`; close it, or use it in a `with` block.

    `app` is a WSGI app that belongs at `/auth/v1`. `database_url` is that of the role that owns the schema `auth`, and
    `keys` the folder of the signing key.
    """

    def __init__(
        self, database_url: str, keys: Path, public_url: str, origins: Sequence[str] = (), clock: Clock = wall_clock
    ) -> None:
        tokens = TokenIssuer(SigningKey.kept_in(keys), public_url, clock)
        self._pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
            database_url,
            min_size=1,
            max_size=4,
            timeout=5,
            open=True,
            check=ConnectionPool.check_connection,
            kwargs={"row_factory": dict_row},
        )
        self._service = AuthService(self._pool, tokens, clock)
        self.app = auth_app(self._service, origins)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def dev_token(self, user_id: str | UUID, life: timedelta = DEV_TOKEN_LIFE) -> str:
        """An access token without a password. The account is made if it is missing, so that it can be deleted too."""
        return self._service.token_without_password(UUID(str(user_id)), life)

    def close(self) -> None:
        """Give the database connections back."""
        self._pool.close()


def service_key(keys: Path, public_url: str) -> str:
    """The project's service role key, for admin calls; valid as long as the signing key in the folder `keys`."""
    return TokenIssuer(SigningKey.kept_in(keys), public_url).project_key("service_role")


def anon_key(keys: Path, public_url: str) -> str:
    """The project's public key, without which the Supabase clients do not start."""
    return TokenIssuer(SigningKey.kept_in(keys), public_url).project_key("anon")
