"""Who is calling: a learner with a token of Supabase Auth, or Cloud Tasks with one of Google.

Both are JSON Web Tokens (RFC 7519) verified against a published key set (RFC 7517).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKClientConnectionError, PyJWKSetError

from shared.config import UserAuthSettings, WorkerAuthSettings
from shared.errors import AppError, Unauthorized

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class User:
    """A learner, and the claims that Postgres shall know of them."""

    id: UUID

    @property
    def claims(self) -> dict[str, str]:
        """What `auth.uid()` and the policies read from `request.jwt.claims`."""
        return {"sub": str(self.id), "role": "authenticated"}


class TokenVerifier:
    """Verifies tokens of one issuer for one audience against its key set, which is fetched when first needed."""

    def __init__(self, jwks_url: str, issuers: Sequence[str], audience: str, algorithms: Sequence[str]) -> None:
        self._keys = PyJWKClient(jwks_url, lifespan=600, timeout=5)
        self._issuers, self._audience, self._algorithms = list(issuers), audience, list(algorithms)

    def claims(self, authorization: str | None) -> dict[str, Any]:
        """The claims of the token in an Authorization header; raises Unauthorized unless all of it is right.

        Raises AppError where the key set cannot be read: whether the token is right cannot be known then.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized
        try:
            claims: dict[str, Any] = jwt.decode(
                token.strip(),
                self._signing_key(token.strip()),
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuers,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            raise Unauthorized from None
        return claims

    def _signing_key(self, token: str) -> PyJWK:
        """The key that the token names; for an unknown one the key set is fetched again, at most every 30 seconds."""
        try:
            return self._keys.get_signing_key_from_jwt(token)
        except (PyJWKClientConnectionError, PyJWKSetError, OSError, ValueError) as error:
            raise AppError from error


class UserAuth:
    """Accepts the access tokens that Supabase Auth gives to signed-in learners."""

    def __init__(self, settings: UserAuthSettings) -> None:
        issuer = f"{settings.supabase_url.rstrip('/')}/auth/v1"
        self._verifier = TokenVerifier(
            f"{issuer}/.well-known/jwks.json", [issuer], audience="authenticated", algorithms=["ES256", "RS256"]
        )

    def user(self, authorization: str | None) -> User:
        """The learner who calls; raises Unauthorized."""
        claims = self._verifier.claims(authorization)
        if claims.get("role") != "authenticated" or not CANONICAL_UUID.fullmatch(claims["sub"]):
            raise Unauthorized
        return User(UUID(claims["sub"]))


class WorkerAuth:
    """Accepts the OIDC tokens that Cloud Tasks and Cloud Scheduler bring for one worker.

    https://cloud.google.com/tasks/docs/creating-http-target-tasks#token
    """

    def __init__(self, settings: WorkerAuthSettings, worker: str) -> None:
        self._service_account = settings.tasks_service_account
        self._verifier = TokenVerifier(
            settings.tasks_jwks_url,
            ["https://accounts.google.com", "accounts.google.com"],
            audience=settings.workers_url.replace("{worker}", worker),
            algorithms=["RS256"],
        )

    def verify(self, authorization: str | None) -> None:
        """Raises Unauthorized unless the service account of our tasks calls this very worker."""
        claims = self._verifier.claims(authorization)
        if claims.get("email") != self._service_account or claims.get("email_verified") is not True:
            raise Unauthorized
