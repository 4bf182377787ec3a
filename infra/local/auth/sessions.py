"""Sessions and their refresh tokens: each token is good for one use, and a stolen one ends its session.

https://supabase.com/docs/guides/auth/sessions#what-is-refresh-token-reuse-detection-and-what-does-it-protect-from
Whoever touches the tokens of a session locks the session first.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import DictRow

from infra.local.auth.errors import RefreshTokenNotFound

REUSE_INTERVAL = timedelta(seconds=10)


class Scope(StrEnum):
    """Which sessions a sign-out ends."""

    GLOBAL = "global"
    LOCAL = "local"
    OTHERS = "others"


@dataclass(frozen=True)
class Session:
    """One sign-in, and the refresh token that keeps it going."""

    id: UUID
    user_id: UUID
    created_at: datetime
    refresh_token: str


def begin(connection: Connection[DictRow], user_id: UUID, now: datetime) -> Session:
    """A new session of an account."""
    session_id = uuid4()
    connection.execute(
        "insert into auth.sessions (id, user_id, created_at) values (%s, %s, %s)", [session_id, user_id, now]
    )
    return Session(session_id, user_id, now, _issue(connection, session_id, None, now))


def refresh(connection: Connection[DictRow], token: str, now: datetime) -> Session | None:
    """Use a refresh token: the session with the token that follows.

    A used token is taken once more if the client cannot have kept the one that followed it, or within ten seconds, as
    when two tabs refresh at once. Otherwise somebody else has it: the answer is None, and the session takes no token
    any more. Raises RefreshTokenNotFound.
    """
    session = _lock_session(connection, token)
    used = connection.execute("select * from auth.refresh_tokens where token = %s", [token]).fetchone()
    if session is None or used is None:
        raise RefreshTokenNotFound
    following = _following(connection, used, now)
    if following is None:
        connection.execute("update auth.refresh_tokens set revoked = true where session_id = %s", [session["id"]])
        return None
    connection.execute("update auth.sessions set refreshed_at = %s where id = %s", [now, session["id"]])
    return Session(session["id"], session["user_id"], session["created_at"], following)


def exists(connection: Connection[DictRow], session_id: UUID, user_id: UUID) -> bool:
    """Whether the session goes on."""
    row = connection.execute("select 1 from auth.sessions where id = %s and user_id = %s", [session_id, user_id])
    return row.fetchone() is not None


def end(connection: Connection[DictRow], user_id: UUID, session_id: UUID | None, scope: Scope) -> None:
    """Sign out. A token without a session, as the DEV token, signs out of all."""
    connection.execute(
        """
        delete from auth.sessions
        where user_id = %(user_id)s
          and case
            when %(session_id)s::uuid is null or %(scope)s = 'global' then true
            when %(scope)s = 'local' then id = %(session_id)s
            else id <> %(session_id)s
          end
        """,
        {"user_id": user_id, "session_id": session_id, "scope": scope.value},
    )


def _lock_session(connection: Connection[DictRow], token: str) -> DictRow | None:
    return connection.execute(
        """
        select *
        from auth.sessions
        where id = (select session_id from auth.refresh_tokens where token = %s)
        for update
        """,
        [token],
    ).fetchone()


def _following(connection: Connection[DictRow], used: DictRow, now: datetime) -> str | None:
    if not used["revoked"]:
        return _swap(connection, used, now)
    active = connection.execute(
        "select * from auth.refresh_tokens where session_id = %s and not revoked order by id desc limit 1",
        [used["session_id"]],
    ).fetchone()
    if active is None:
        return None
    if active["parent"] == used["token"]:
        return str(active["token"])
    return _swap(connection, used, now) if now <= used["updated_at"] + REUSE_INTERVAL else None


def _swap(connection: Connection[DictRow], used: DictRow, now: datetime) -> str:
    connection.execute(
        "update auth.refresh_tokens set revoked = true, updated_at = %s where id = %s and not revoked",
        [now, used["id"]],
    )
    return _issue(connection, used["session_id"], used["token"], now)


def _issue(connection: Connection[DictRow], session_id: UUID, parent: str | None, now: datetime) -> str:
    token = secrets.token_urlsafe(24)
    connection.execute(
        """
        insert into auth.refresh_tokens (token, session_id, parent, created_at, updated_at)
        values (%(token)s, %(session_id)s, %(parent)s, %(now)s, %(now)s)
        """,
        {"token": token, "session_id": session_id, "parent": parent, "now": now},
    )
    return token
