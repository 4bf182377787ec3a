"""The identity tokens that deliveries bring, signed with a key of this server's own."""

import hashlib
import json
import threading
import time
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://accounts.google.com"
LIFE_SECONDS = 3600
REUSE_SECONDS = 300


class TokenMint:
    """Makes OIDC tokens as Google does: https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload."""

    def __init__(self) -> None:
        self._key_id = uuid4().hex[:16]
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._made: dict[tuple[str, str], tuple[float, str]] = {}
        self._lock = threading.Lock()

    def jwks(self) -> dict[str, Any]:
        """The public key, as a key set (RFC 7517)."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    def token(self, email: str, audience: str) -> str:
        """A token of this service account for this audience; the same one for some minutes."""
        with self._lock:
            made_at, token = self._made.get((email, audience), (0.0, ""))
            if time.time() - made_at > REUSE_SECONDS:
                made_at, token = time.time(), self._sign(email, audience)
                self._made[email, audience] = (made_at, token)
        return token

    def _sign(self, email: str, audience: str) -> str:
        now = int(time.time())
        subject = str(int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**21)
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        return jwt.encode(claims, self._key, "RS256", {"kid": self._key_id})
