"""What the auth server does: each method is one call of the protocol and returns the JSON of its answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool

from infra.local.auth import accounts, sessions
from infra.local.auth.accounts import AUTHENTICATED, Account
from infra.local.auth.bodies import Credentials, NewUser, SignUp, UserChange, email_address
from infra.local.auth.errors import (
    AnonymousSignInsDisabled,
    BadJwt,
    CallerNotFound,
    EmailExists,
    EmailNotConfirmed,
    InvalidCredentials,
    NotAdmin,
    RefreshTokenAlreadyUsed,
    RefreshTokenNotFound,
    SamePassword,
    SessionNotFound,
    UserAlreadyExists,
    UserNotFound,
    ValidationFailed,
)
from infra.local.auth.passwords import hash_password, is_password
from infra.local.auth.sessions import Scope
from infra.local.auth.tokens import Clock, TokenIssuer

ADMIN_ROLES = ("service_role", "supabase_admin")


@dataclass(frozen=True)
class Caller:
    """Who an access token belongs to, and the session it came from, if it came from one."""

    account: Account
    session_id: UUID | None


class AuthService:
    """Accounts and sessions in the database, and the tokens that stand for them."""

    def __init__(self, pool: ConnectionPool[Connection[DictRow]], tokens: TokenIssuer, clock: Clock) -> None:
        self._pool, self.tokens, self._clock = pool, tokens, clock

    def sign_up(self, body: SignUp) -> dict[str, Any]:
        """A new account, signed in at once."""
        if not body.email:
            raise AnonymousSignInsDisabled
        if not body.password:
            raise ValidationFailed("Signup requires a valid password")
        now = self._clock()
        email, password_hash = email_address(body.email), hash_password(body.password)
        account = Account.new(uuid4(), email, now, password_hash=password_hash, user_metadata=body.data)
        with self._pool.connection() as connection:
            try:
                accounts.create(connection, account)
            except EmailExists:
                raise UserAlreadyExists from None
            return self._begin_session(connection, account.id, now)

    def sign_in(self, body: Credentials) -> dict[str, Any]:
        """A new session; says the same, and takes as long, for an unknown address as for a wrong password."""
        if not body.email:
            raise ValidationFailed("missing email or phone")
        with self._pool.connection() as connection:
            account = accounts.find_by_email(connection, body.email)
        if not is_password(body.password, account.password_hash if account else None) or account is None:
            raise InvalidCredentials
        if account.email_confirmed_at is None:
            raise EmailNotConfirmed
        with self._pool.connection() as connection:
            return self._begin_session(connection, account.id, self._clock())

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """The session with its next tokens."""
        if not refresh_token:
            raise ValidationFailed("refresh_token required")
        with self._pool.connection() as connection:
            session = sessions.refresh(connection, refresh_token, self._clock())
            account = accounts.find(connection, session.user_id) if session else None
        if session is None:
            raise RefreshTokenAlreadyUsed
        if account is None:
            raise RefreshTokenNotFound
        return self.tokens.grant(account, session)

    def caller(self, token: str) -> Caller:
        """Whose access token it is; raises AuthError unless the account and the session are still there."""
        claims = self.tokens.claims(token)
        user_id, session_id = _uuid_claim(claims, "sub"), _uuid_claim(claims, "session_id")
        if user_id is None or claims.get("aud") != AUTHENTICATED:
            raise BadJwt("invalid claim: missing sub claim")
        with self._pool.connection() as connection:
            account = accounts.find(connection, user_id)
            if account is None:
                raise CallerNotFound
            if session_id and not sessions.exists(connection, session_id, user_id):
                raise SessionNotFound
        return Caller(account, session_id)

    def require_admin(self, token: str) -> None:
        """Raises AuthError unless it is the project's service role key."""
        if self.tokens.claims(token)["role"] not in ADMIN_ROLES:
            raise NotAdmin

    def change_user(self, caller: Caller, body: UserChange) -> dict[str, Any]:
        """The account as changed; a new password ends all other sessions."""
        email = email_address(body.email) if body.email else None
        password_hash = hash_password(body.password) if body.password else None
        if body.password and is_password(body.password, caller.account.password_hash):
            raise SamePassword
        with self._pool.connection() as connection:
            account = accounts.change(
                connection,
                caller.account.id,
                self._clock(),
                email=email,
                password_hash=password_hash,
                user_metadata=body.data or {},
            )
            if account is None:
                raise CallerNotFound
            if password_hash:
                sessions.end(connection, account.id, caller.session_id, Scope.OTHERS)
        return account.as_json()

    def sign_out(self, caller: Caller, scope: Scope) -> None:
        """End sessions of the caller."""
        with self._pool.connection() as connection:
            sessions.end(connection, caller.account.id, caller.session_id, scope)

    def create_user(self, body: NewUser) -> dict[str, Any]:
        """A new account, which signs in later, or never if it has no password."""
        account = Account.new(
            body.id or uuid4(),
            email_address(body.email),
            self._clock(),
            password_hash=hash_password(body.password) if body.password else None,
            confirmed=body.email_confirm,
            user_metadata=body.user_metadata,
            app_metadata=body.app_metadata,
        )
        with self._pool.connection() as connection:
            return accounts.create(connection, account).as_json()

    def user(self, user_id: UUID) -> dict[str, Any]:
        """The account of an id."""
        with self._pool.connection() as connection:
            account = accounts.find(connection, user_id)
        if account is None:
            raise UserNotFound
        return account.as_json()

    def delete_user(self, user_id: UUID) -> None:
        """Delete an account and all that belongs to it."""
        with self._pool.connection() as connection:
            if not accounts.delete(connection, user_id):
                raise UserNotFound

    def token_without_password(self, user_id: UUID, life: timedelta) -> str:
        """An access token of an account, which is made if it is missing."""
        new = Account.new(user_id, f"{user_id}@localhost", self._clock())
        with self._pool.connection() as connection:
            account = accounts.find_or_create(connection, new)
        return self.tokens.without_session(account, life)

    def _begin_session(self, connection: Connection[DictRow], user_id: UUID, now: datetime) -> dict[str, Any]:
        account = accounts.signed_in(connection, user_id, now)
        if account is None:
            raise InvalidCredentials
        return self.tokens.grant(account, sessions.begin(connection, user_id, now))


def _uuid_claim(claims: dict[str, Any], name: str) -> UUID | None:
    if name not in claims:
        return None
    try:
        return UUID(claims[name])
    except (ValueError, AttributeError, TypeError):
        raise BadJwt(f"invalid claim: {name} claim must be a UUID") from None
