"""Encrypts the learners' Google keys and recognises them without knowing them.

AES-256-GCM (NIST SP 800-38D) with the learner's id as associated data, so that a stored key opens for its owner only.
A stored key is `<ring key id>:` and then the 12-byte nonce, the ciphertext and its 16-byte tag.
"""

import base64
import hashlib
import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.config import KeyRingSettings, SettingsError
from shared.errors import AppError

KEY_BYTES = 32
NONCE_BYTES = 12


class KeyRing:
    """A primary key that encrypts, and older ones that still decrypt."""

    def __init__(self, settings: KeyRingSettings) -> None:
        self._ring = _parse(settings.key_ring.get_secret_value())
        self._primary = next(iter(self._ring))
        self._fingerprint_secret = settings.key_fingerprint_secret.get_secret_value().encode()

    def encrypt(self, google_api_key: str, user_id: UUID) -> bytes:
        """The key as it may be stored for this learner."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ring[self._primary].encrypt(nonce, google_api_key.encode(), user_id.bytes)
        return self._primary.encode() + b":" + nonce + sealed

    def decrypt(self, encrypted_key: bytes, user_id: UUID) -> str:
        """The key; raises AppError where it was stored for another learner, is damaged or its ring key is gone."""
        key_id, _, sealed = encrypted_key.partition(b":")
        cipher = self._ring.get(key_id.decode(errors="replace"))
        if cipher is None:
            raise AppError("The ring key of this Google key is not on the key ring any more.")
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], user_id.bytes).decode()
        except (InvalidTag, ValueError):
            raise AppError("This Google key does not open for this learner.") from None

    def is_current(self, encrypted_key: bytes) -> bool:
        """Whether a stored key is encrypted with the primary key."""
        return encrypted_key.startswith(self._primary.encode() + b":")

    def hmac(self, google_api_key: str) -> bytes:
        """32 bytes by which to recognise a key; without the secret they lead nowhere."""
        return hmac.digest(self._fingerprint_secret, google_api_key.encode(), hashlib.sha256)

    def fingerprint(self, google_api_key: str) -> str:
        """`SHA256:` and the first 16 hex digits of the key's HMAC."""
        return f"SHA256:{self.hmac(google_api_key).hex()[:16]}"


def _parse(key_ring: str) -> dict[str, AESGCM]:
    """The ring keys by id, in their order; raises SettingsError."""
    ring: dict[str, AESGCM] = {}
    for entry in key_ring.split(","):
        key_id, _, encoded = entry.strip().partition(":")
        key = _decoded(encoded)
        if not key_id or key_id in ring or len(key) != KEY_BYTES:
            raise SettingsError(
                "KEY_RING: each entry must be `id:` and the base64 of 32 random bytes, and each id its own; make one "
                "with `openssl rand -base64 32`."
            )
        ring[key_id] = AESGCM(key)
    return ring


def _decoded(encoded: str) -> bytes:
    """The bytes; none where it is not base64."""
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
