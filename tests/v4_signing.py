"""V4 signing by google-cloud-storage, with an HMAC key: what our signer and our verifier are held against."""

import hmac
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from google.auth.credentials import Signing
from google.cloud.storage import _signing

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class HmacKey:
    """The HMAC key of a service account."""

    access_id: str
    secret: str

    def sign(
        self, origin: str, bucket: str, name: str, at: datetime, *, method: str = "GET", lifetime: timedelta = LIFETIME
    ) -> str:
        """A URL by which `method` is allowed from `at` on."""
        timestamp = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        return _sign_with_hmac(
            _Credentials(self, timestamp[:8]),
            resource=f"/{bucket}/{quote(name, safe='/~')}",
            expiration=lifetime,
            api_access_endpoint=origin,
            method=method,
            _request_timestamp=timestamp,
        )


class _Credentials(Signing):
    """Signs the string that the library hands over."""

    def __init__(self, key: HmacKey, day: str) -> None:
        self._access_id = key.access_id
        self._derived = f"GOOG4{key.secret}".encode()
        for part in (day, "auto", "storage", "goog4_request"):
            self._derived = hmac.new(self._derived, part.encode(), "sha256").digest()

    @property
    def signer_email(self) -> str:
        return self._access_id

    @property
    def signer(self) -> None:
        return None

    def sign_bytes(self, message: bytes) -> bytes:
        return hmac.new(self._derived, message, "sha256").digest()


def _signing_function() -> Callable[..., str]:
    """`generate_signed_url_v4`, which knows RSA only, with the name of the algorithm put in."""
    source = inspect.getsource(_signing.generate_signed_url_v4)
    if "GOOG4-RSA-SHA256" not in source:
        raise RuntimeError("google-cloud-storage signs in another way than this was written for")
    namespace: dict[str, Any] = dict(vars(_signing))
    exec(source.replace("GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256"), namespace)  # noqa: S102
    function: Callable[..., str] = namespace["generate_signed_url_v4"]
    return function


_sign_with_hmac = _signing_function()
