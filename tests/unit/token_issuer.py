"""Somebody who signs tokens and publishes the key set over HTTP, as Supabase Auth and Google do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

EC = "ec-key"
RSA = "rsa-key"
ALGORITHMS = {EC: "ES256", RSA: "RS256"}


def new_key(key_id: str) -> PrivateKey:
    """A private key of the kind that has this id."""
    if ALGORITHMS[key_id] == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key_id: str, key: PrivateKey) -> dict[str, Any]:
    """The public half as the key set has it (RFC 7517)."""
    if isinstance(key, rsa.RSAPrivateKey):
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": key_id, "alg": ALGORITHMS[key_id], "use": "sig"}


@dataclass
class TokenIssuer:
    """Two keys, and what is answered to whoever asks for them."""

    origin: str = ""
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {key_id: new_key(key_id) for key_id in ALGORITHMS})
    status: int = 200
    body: bytes | None = None
    fetches: list[str] = field(default_factory=list)

    def sign(self, claims: Mapping[str, Any], key_id: str = EC) -> str:
        """A token that one of the published keys signed."""
        return jwt.encode(dict(claims), self.keys[key_id], ALGORITHMS[key_id], {"kid": key_id})

    def key_set(self) -> bytes:
        """What is published: the public keys, unless `body` is to be sent instead."""
        if self.body is not None:
            return self.body
        return json.dumps({"keys": [public_jwk(key_id, key) for key_id, key in self.keys.items()]}).encode()


@contextmanager
def publishing(issuer: TokenIssuer) -> Iterator[TokenIssuer]:
    """The issuer, with its key set at every path of its origin."""

    class KeySet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches.append(self.path)
            body = issuer.key_set()
            self.send_response(issuer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), KeySet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        issuer.origin = f"http://127.0.0.1:{server.server_port}"
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
