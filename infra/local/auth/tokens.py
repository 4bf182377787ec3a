"""Access tokens with the claims of Supabase Auth, and the two keys of a project, which are tokens too.

https://supabase.com/docs/guides/auth/jwt-fields
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from infra.local.auth.accounts import Account
from infra.local.auth.errors import BadJwt
from infra.local.auth.keys import SigningKey
from infra.local.auth.sessions import Session

ACCESS_TOKEN_LIFE = timedelta(hours=1)
PROJECT_KEY_LIFE = timedelta(days=3650)

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now."""
    return datetime.now(UTC)


class TokenIssuer:
    """Issues and verifies the tokens of the auth server at `<public_url>/auth/v1`."""

    def __init__(self, key: SigningKey, public_url: str, clock: Clock = wall_clock) -> None:
        self._key = key
        self._issuer = f"{public_url.rstrip('/')}/auth/v1"
        self._clock = clock

    def jwks(self) -> dict[str, Any]:
        """The key set that verifies the tokens."""
        return self._key.jwks()

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token issued here; raises BadJwt."""
        try:
            return self._key.verify(token, self._issuer)
        except jwt.PyJWTError as error:
            raise BadJwt(f"invalid JWT: unable to parse or verify signature, {error}") from None

    def grant(self, account: Account, session: Session) -> dict[str, Any]:
        """The answer to a sign-in: an access token, the refresh token that follows it, the account."""
        now = self._clock()
        signed_in = {"method": "password", "timestamp": int(session.created_at.timestamp())}
        claims = _account_claims(account) | {"session_id": str(session.id), "amr": [signed_in]}
        return {
            "access_token": self._sign(claims, now, ACCESS_TOKEN_LIFE),
            "token_type": "bearer",
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
            "expires_at": int((now + ACCESS_TOKEN_LIFE).timestamp()),
            "refresh_token": session.refresh_token,
            "user": account.as_json(),
        }

    def without_session(self, account: Account, life: timedelta) -> str:
        """An access token that no sign-out ends and nothing refreshes."""
        return self._sign(_account_claims(account), self._clock(), life)

    def project_key(self, role: str) -> str:
        """What Supabase calls the anon key and the service role key."""
        return self._sign({"role": role}, self._clock(), PROJECT_KEY_LIFE)

    def _sign(self, claims: dict[str, Any], now: datetime, life: timedelta) -> str:
        seconds = int(now.timestamp())
        times = {"iat": seconds, "exp": seconds + int(life.total_seconds())}
        return self._key.sign({"iss": self._issuer, **times, **claims})


def _account_claims(account: Account) -> dict[str, Any]:
    return {
        "sub": str(account.id),
        "aud": account.aud,
        "role": account.role,
        "email": account.email,
        "phone": "",
        "app_metadata": account.app_metadata,
        "user_metadata": account.user_metadata,
        "aal": "aal1",
        "is_anonymous": account.is_anonymous,
    }
