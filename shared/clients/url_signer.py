"""Signs the URLs that a browser fetches audio from: V4, HMAC, standard library only.

The protocol is described in https://cloud.google.com/storage/docs/authentication/signatures and
https://cloud.google.com/storage/docs/authentication/canonical-requests.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from shared.config import UrlSigningSettings

ALGORITHM = "GOOG4-HMAC-SHA256"


@dataclass(frozen=True)
class SignedUrls:
    """One URL per object name, in their order, and when all of them stop working."""

    urls: list[str]
    expires_at: datetime


class UrlSigner:
    """Signs GET requests for objects of one bucket; threads may share it."""

    def __init__(self, settings: UrlSigningSettings) -> None:
        storage = urlsplit(settings.storage_url)
        self._host = storage.netloc
        self._origin = f"{storage.scheme}://{storage.netloc}"
        self._bucket = settings.audio_bucket
        self._access_id = settings.signer_access_id
        self._secret = settings.signer_secret.get_secret_value()
        self._window_seconds = settings.signing_window_seconds
        self._key_of_day = ("", b"")

    def sign(self, object_names: Sequence[str], at: datetime) -> SignedUrls:
        """URLs that work from the start of the signing window that holds `at` for the length of two windows.

        Names signed twice within one window get the same URLs. Raises ValueError for a naive `at` and for an empty
        name, whose URL would be that of the whole bucket.
        """
        if at.tzinfo is None:
            raise ValueError("the time of signing needs a time zone")
        if not all(object_names):
            raise ValueError("an object has a name")
        start = _window_start(at, self._window_seconds)
        lifetime = timedelta(seconds=2 * self._window_seconds)
        return SignedUrls(self._sign_window(object_names, start, lifetime), start + lifetime)

    def _sign_window(self, object_names: Sequence[str], start: datetime, lifetime: timedelta) -> list[str]:
        timestamp = f"{start:%Y%m%dT%H%M%SZ}"
        day = timestamp[:8]
        scope = f"{day}/auto/storage/goog4_request"
        query = self._query(timestamp, scope, lifetime)
        string_to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n"
        canonical_tail = f"\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        key = self._key(day)

        def sign_one(object_name: str) -> str:
            path = f"/{self._bucket}/{quote(object_name)}"
            digest = hashlib.sha256(f"GET\n{path}{canonical_tail}".encode()).hexdigest()
            signature = hmac.digest(key, (string_to_sign + digest).encode(), "sha256").hex()
            return f"{self._origin}{path}?{query}&X-Goog-Signature={signature}"

        return [sign_one(object_name) for object_name in object_names]

    def _query(self, timestamp: str, scope: str, lifetime: timedelta) -> str:
        """The canonical query string: percent-encoded, sorted by name."""
        credential = quote(f"{self._access_id}/{scope}", safe="")
        return (
            f"X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={credential}&X-Goog-Date={timestamp}"
            f"&X-Goog-Expires={int(lifetime.total_seconds())}&X-Goog-SignedHeaders=host"
        )

    def _key(self, day: str) -> bytes:
        """The signing key of a day (YYYYMMDD), derived once."""
        known_day, key = self._key_of_day
        if known_day == day:
            return key
        key = f"GOOG4{self._secret}".encode()
        for part in (day, "auto", "storage", "goog4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key_of_day = (day, key)
        return key


def _window_start(at: datetime, window_seconds: int) -> datetime:
    """When the window that holds `at` began; windows follow each other from the Unix epoch on."""
    return datetime.fromtimestamp(int(at.timestamp()) // window_seconds * window_seconds, UTC)
