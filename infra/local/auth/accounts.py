"""The table `auth.users`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, errors
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from infra.local.auth.errors import EmailExists

AUTHENTICATED = "authenticated"
EMAIL_PROVIDER: dict[str, Any] = {"provider": "email", "providers": ["email"]}
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Account:
    """One row of `auth.users`; a password hash of None lets nobody sign in."""

    id: UUID
    aud: str
    role: str
    email: str
    password_hash: str | None
    email_confirmed_at: datetime | None
    last_sign_in_at: datetime | None
    app_metadata: dict[str, Any]
    user_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    is_anonymous: bool

    @classmethod
    def new(
        cls,
        user_id: UUID,
        email: str,
        now: datetime,
        *,
        password_hash: str | None = None,
        confirmed: bool = True,
        user_metadata: dict[str, Any] | None = None,
        app_metadata: dict[str, Any] | None = None,
    ) -> "Account":
        """An account that is not in the table yet."""
        return cls(
            id=user_id,
            aud=AUTHENTICATED,
            role=AUTHENTICATED,
            email=email,
            password_hash=password_hash,
            email_confirmed_at=now if confirmed else None,
            last_sign_in_at=None,
            app_metadata=EMAIL_PROVIDER | (app_metadata or {}),
            user_metadata=user_metadata or {},
            created_at=now,
            updated_at=now,
            is_anonymous=False,
        )

    @classmethod
    def of(cls, row: DictRow) -> "Account":
        """Nearly every column may be null, as at Supabase."""
        created_at = row["created_at"] or LONG_AGO
        return cls(
            id=row["id"],
            aud=row["aud"] or AUTHENTICATED,
            role=row["role"] or AUTHENTICATED,
            email=row["email"] or "",
            password_hash=row["encrypted_password"],
            email_confirmed_at=row["email_confirmed_at"],
            last_sign_in_at=row["last_sign_in_at"],
            app_metadata=row["raw_app_meta_data"] or {},
            user_metadata=row["raw_user_meta_data"] or {},
            created_at=created_at,
            updated_at=row["updated_at"] or created_at,
            is_anonymous=row["is_anonymous"],
        )

    def as_json(self) -> dict[str, Any]:
        """The `UserSchema` of the protocol. Its one identity is the e-mail address, and shares the account's id."""
        return {
            "id": str(self.id),
            "aud": self.aud,
            "role": self.role,
            "email": self.email,
            "phone": "",
            "email_confirmed_at": _text(self.email_confirmed_at),
            "confirmed_at": _text(self.email_confirmed_at),
            "last_sign_in_at": _text(self.last_sign_in_at),
            "app_metadata": self.app_metadata,
            "user_metadata": self.user_metadata,
            "identities": [self._identity()],
            "created_at": _text(self.created_at),
            "updated_at": _text(self.updated_at),
            "is_anonymous": self.is_anonymous,
        }

    def _identity(self) -> dict[str, Any]:
        return {
            "identity_id": str(self.id),
            "id": str(self.id),
            "user_id": str(self.id),
            "identity_data": {
                "sub": str(self.id),
                "email": self.email,
                "email_verified": self.email_confirmed_at is not None,
            },
            "provider": "email",
            "last_sign_in_at": _text(self.last_sign_in_at),
            "created_at": _text(self.created_at),
            "updated_at": _text(self.updated_at),
            "email": self.email,
        }


def find(connection: Connection[DictRow], user_id: UUID) -> Account | None:
    """The account of an id."""
    row = connection.execute("select * from auth.users where id = %s", [user_id]).fetchone()
    return Account.of(row) if row else None


def find_by_email(connection: Connection[DictRow], email: str) -> Account | None:
    """The account of an address, whatever its case."""
    row = connection.execute("select * from auth.users where lower(email) = lower(%s)", [email]).fetchone()
    return Account.of(row) if row else None


def create(connection: Connection[DictRow], account: Account) -> Account:
    """Insert an account; raises EmailExists if its address or id is taken."""
    try:
        row = connection.execute(
            """
            insert into auth.users (
              id, aud, role, email, encrypted_password, email_confirmed_at,
              raw_app_meta_data, raw_user_meta_data, created_at, updated_at, is_anonymous
            )
            values (
              %(id)s, %(aud)s, %(role)s, %(email)s, %(password_hash)s, %(email_confirmed_at)s,
              %(app_metadata)s, %(user_metadata)s, %(created_at)s, %(updated_at)s, %(is_anonymous)s
            )
            returning *
            """,
            _params(account),
        ).fetchone()
    except errors.UniqueViolation:
        raise EmailExists from None
    assert row is not None  # noqa: S101  an insert without a conflict clause returns its row
    return Account.of(row)


def find_or_create(connection: Connection[DictRow], account: Account) -> Account:
    """The account with this one's id, which is this one if there was none; raises EmailExists."""
    # Whoever looks for the same id at the same time waits here, and finds it.
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(account.id)])
    return find(connection, account.id) or create(connection, account)


def change(
    connection: Connection[DictRow],
    user_id: UUID,
    now: datetime,
    *,
    email: str | None,
    password_hash: str | None,
    user_metadata: dict[str, Any],
) -> Account | None:
    """Change what is given; in the metadata, a null removes its key. None if the account is gone.

    Raises EmailExists.
    """
    try:
        row = connection.execute(
            """
            update auth.users
            set email = coalesce(%(email)s, email),
                encrypted_password = coalesce(%(password_hash)s, encrypted_password),
                raw_user_meta_data = (coalesce(raw_user_meta_data, '{}') || %(added)s) - %(removed)s::text[],
                updated_at = %(now)s
            where id = %(id)s
            returning *
            """,
            {
                "id": user_id,
                "email": email,
                "password_hash": password_hash,
                "added": Jsonb({key: value for key, value in user_metadata.items() if value is not None}),
                "removed": [key for key, value in user_metadata.items() if value is None],
                "now": now,
            },
        ).fetchone()
    except errors.UniqueViolation:
        raise EmailExists from None
    return Account.of(row) if row else None


def signed_in(connection: Connection[DictRow], user_id: UUID, now: datetime) -> Account | None:
    """Note a sign-in; None if the account is gone."""
    row = connection.execute(
        "update auth.users set last_sign_in_at = %s where id = %s returning *", [now, user_id]
    ).fetchone()
    return Account.of(row) if row else None


def delete(connection: Connection[DictRow], user_id: UUID) -> bool:
    """Delete an account with all that belongs to it; False if there is none."""
    return connection.execute("delete from auth.users where id = %s", [user_id]).rowcount == 1


def _params(account: Account) -> dict[str, Any]:
    metadata = {"app_metadata": Jsonb(account.app_metadata), "user_metadata": Jsonb(account.user_metadata)}
    return vars(account) | metadata


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
