"""The key that signs tokens: ECDSA on P-256 (ES256, RFC 7518), kept in a file so that tokens outlive a restart."""

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"


class SigningKey:
    """Signs tokens, verifies them, and publishes what others need to verify them."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()
        self._public_jwk: dict[str, Any] = ECAlgorithm.to_jwk(self._public_key, as_dict=True)
        self._key_id = _thumbprint(self._public_jwk)

    @classmethod
    def kept_in(cls, folder: Path) -> "SigningKey":
        """The key of a folder, made when it is first asked for; only the owner may read its file."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / "signing-key.pem"
        if not file.exists():
            _write_once(file, _new_key())
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{file} holds no elliptic-curve key; delete it to get a new one.")
        return cls(key)

    def jwks(self) -> dict[str, Any]:
        """The key set (RFC 7517) with the public half."""
        use = {"alg": ALGORITHM, "use": "sig", "key_ops": ["verify"], "kid": self._key_id}
        return {"keys": [self._public_jwk | use]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact token (RFC 7519)."""
        return jwt.encode(claims, self._private_key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def verify(self, token: str, issuer: str) -> dict[str, Any]:
        """The claims of a token that this key signed and that has not expired; raises jwt.PyJWTError."""
        claims: dict[str, Any] = jwt.decode(
            token,
            self._public_key,
            algorithms=[ALGORITHM],
            issuer=issuer,
            options={"require": ["exp", "role"], "verify_aud": False},
        )
        return claims


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_once(file: Path, content: bytes) -> None:
    """Write a private file whole or not at all, and leave it alone if another process was faster."""
    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    unfinished.touch(mode=0o600, exist_ok=False)
    try:
        unfinished.write_bytes(content)
        os.link(unfinished, file)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()


def _thumbprint(jwk: dict[str, Any]) -> str:
    """The key's id: its JWK thumbprint (RFC 7638)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
