"""A storage server for a test, the clock it goes by, and who may sign for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.cloud.storage import Client

from infra.local.storage import StorageServer
from shared.clients.audio_storage import BUCKET_LOOKUP_SWITCH
from shared.clients.url_signer import UrlSigner
from shared.config import UrlSigningSettings

BUCKET = "audio-loop-test"
ACCESS_ID = "GOOG1EXAMPLE"
SECRET = "a secret of the local signer"
APP_ORIGIN = "http://127.0.0.1:8080"
START = datetime(2026, 1, 31, 8, 2, tzinfo=UTC)


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@contextmanager
def serving(root: Path, clock: Clock) -> Iterator[StorageServer]:
    """A server with one bucket."""
    with StorageServer(
        root=root, buckets=[BUCKET], hmac_keys={ACCESS_ID: SECRET}, cors_origins=[APP_ORIGIN], now=clock
    ) as server:
        yield server


@contextmanager
def connecting() -> Iterator[Client]:
    """The official client, for the server that STORAGE_EMULATOR_HOST names."""
    os.environ.setdefault(BUCKET_LOOKUP_SWITCH, "true")
    with Client() as client:
        yield client


def signer(url: str, **settings: object) -> UrlSigner:
    """Our own signer for the server at `url`, with the key that it knows unless `settings` say otherwise."""
    known = {
        "audio_bucket": BUCKET,
        "storage_url": url,
        "signer_access_id": ACCESS_ID,
        "signer_secret": SECRET,
    }
    return UrlSigner(UrlSigningSettings.model_validate(known | settings))
