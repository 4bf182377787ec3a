"""The bucket of the MP3s, through google-cloud-storage, which is imported when the first AudioStorage is made."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared.config import StorageSettings
from shared.errors import StorageFailed

CONTENT_TYPE = "audio/mpeg"
CACHE_CONTROL = "private, max-age=31536000, immutable"

BATCH_SIZE = 100
"""What Google takes in one batch: https://cloud.google.com/storage/docs/batch"""

CONNECTIONS = 32
"""How many threads can be served without opening connections that are thrown away after use."""

BUCKET_LOOKUP_SWITCH = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
"""Unless told not to, the library reads the bucket itself in the background, to label traces that nobody collects: that
takes a permission of its own, and doubles the requests while the service fails."""


@dataclass(frozen=True)
class StoredObject:
    """What is known of an object without reading it."""

    size_bytes: int
    metadata: dict[str, str]


@dataclass(frozen=True)
class TimeLimits:
    """How long a call may take: as they are, it fails within about 30 seconds."""

    connect_seconds: float = 5
    read_seconds: float = 10
    """How long to wait for the next bytes of an answer."""
    retry_seconds: float = 15
    """No attempt begins later than this after the first."""


class AudioStorage:
    """Writes, finds and deletes immutable MP3s; threads may share it. Every method raises StorageFailed."""

    def __init__(self, settings: StorageSettings, limits: TimeLimits = TimeLimits()) -> None:
        from google.cloud.storage import Client
        from google.cloud.storage.retry import DEFAULT_RETRY

        os.environ.setdefault(BUCKET_LOOKUP_SWITCH, "true")
        with _storage_failures():
            self._client = Client()
        _widen_connection_pool(self._client)
        self._bucket = self._client.bucket(settings.audio_bucket)
        self._timeout = (limits.connect_seconds, limits.read_seconds)
        self._retry = DEFAULT_RETRY.with_timeout(limits.retry_seconds)
        self._limits: dict[str, Any] = {"timeout": self._timeout, "retry": self._retry}

    def create(self, path: str, data: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an MP3 that was not there; False, with nothing changed, if an object of this path exists.

        After a lost answer the repeated request finds its own object and this is False too: whoever must know
        compares what `find` says.
        """
        from google.api_core.exceptions import PreconditionFailed

        blob = self._bucket.blob(path)
        blob.cache_control = CACHE_CONTROL
        blob.metadata = dict(metadata)
        with _storage_failures():
            try:
                blob.upload_from_string(data, content_type=CONTENT_TYPE, if_generation_match=0, **self._limits)
            except PreconditionFailed:
                return False
        return True

    def find(self, path: str) -> StoredObject | None:
        """The object of this path, if there is one."""
        with _storage_failures():
            blob = self._bucket.get_blob(path, **self._limits)
        return StoredObject(blob.size, blob.metadata or {}) if blob else None

    def delete(self, path: str) -> None:
        """Delete the object of this path if there is one."""
        from google.api_core.exceptions import NotFound

        with _storage_failures():
            try:
                self._bucket.delete_blob(path, **self._limits)
            except NotFound:
                return

    def delete_prefix(self, prefix: str) -> int:
        """Delete every object under a folder, `prefix` ending in a slash; how many were deleted.

        Raises ValueError for any other prefix: it would delete what merely begins alike. Objects that others delete
        at the same time are not counted.
        """
        if prefix.strip("/") == "" or not prefix.endswith("/"):
            raise ValueError(f"not a folder: {prefix!r}")
        with _storage_failures():
            listing = self._client.list_blobs(
                self._bucket, prefix=prefix, page_size=BATCH_SIZE, fields="items(name),nextPageToken", **self._limits
            )
            return sum(self._delete_batch([blob.name for blob in page]) for page in listing.pages)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _delete_batch(self, names: list[str]) -> int:
        """Delete up to BATCH_SIZE objects, repeating what failed in passing; how many existed."""
        from google.api_core.exceptions import from_http_response

        deleted = 0

        def attempt() -> None:
            nonlocal names, deleted
            answers = dict(zip(names, self._send_deletions(names), strict=True))
            deleted += sum(answer.status_code == 204 for answer in answers.values())
            names = [name for name, answer in answers.items() if answer.status_code not in (204, 404)]
            if names:
                raise from_http_response(answers[names[0]])  # type: ignore[no-untyped-call]  # ships half its types

        self._retry(attempt)()
        return deleted

    def _send_deletions(self, names: list[str]) -> list[Any]:
        """One request; the answer (`requests.Response`) to each deletion in it."""
        if not names:
            return []
        with self._client.batch(raise_exception=False) as batch:
            for name in names:
                self._bucket.delete_blob(name, timeout=self._timeout)
        answers: list[Any] = batch._responses  # noqa: SLF001  googleapis/python-storage#1043 put them there and nowhere else
        return answers


def _widen_connection_pool(client: Any) -> None:
    """Let every thread keep its connection; the client makes its session itself and offers no setting for this."""
    from requests.adapters import HTTPAdapter

    session = client._http  # noqa: SLF001
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))


@contextmanager
def _storage_failures() -> Iterator[None]:
    """Turn what the library raises into StorageFailed: for a refusal, a broken connection (OSError, which requests'
    errors are) or an answer that makes no sense (ValueError)."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError, ValueError) as error:
        raise StorageFailed from error
