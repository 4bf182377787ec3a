"""The world of a pipeline test: a fresh database and learner, with the servers of the test run."""

import base64
from collections.abc import Iterator
from contextlib import closing

import pytest
from google.cloud.storage import Client

from infra.local.storage import StorageServer
from infra.local.text_to_speech import TextToSpeechServer
from shared.clients.audio_storage import AudioStorage
from shared.clients.text_to_speech import TextToSpeech
from shared.config import DatabaseSettings, KeyRingSettings, SpeechSettings, StorageSettings
from shared.db.database import Database as Connections
from shared.services.key_ring import KeyRing
from tests.database import Database
from tests.pipeline.world import World

BUCKET = "audio-loop-test"
KEY_RING = KeyRingSettings.model_validate(
    {
        "key_ring": "test:" + base64.b64encode(bytes(32)).decode(),
        "key_fingerprint_secret": "a secret for fingerprints",
    }
)


@pytest.fixture(scope="session")
def storage_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    root = tmp_path_factory.mktemp("storage")
    with StorageServer(root=root, buckets=[BUCKET], hmac_keys={}) as server:
        yield server


@pytest.fixture
def speech_server() -> Iterator[TextToSpeechServer]:
    with TextToSpeechServer() as server:
        yield server


@pytest.fixture
def world(
    database: Database,
    storage_server: StorageServer,
    speech_server: TextToSpeechServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """A world in which nothing has happened yet."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_server.url)
    speech = SpeechSettings(tts_endpoint=speech_server.endpoint, tts_timeout_seconds=2)
    with (
        closing(_connections(database.api_url)) as api,
        closing(_connections(database.worker_url)) as workers,
        Client() as client,
    ):
        yield World(
            database=database,
            api=api,
            workers=workers,
            storage=AudioStorage(StorageSettings(audio_bucket=BUCKET)),
            bucket=client.bucket(BUCKET),
            speech_server=speech_server,
            speech=TextToSpeech(speech),
            key_ring=KeyRing(KEY_RING),
        )


def _connections(url: str) -> Connections:
    return Connections(DatabaseSettings.model_validate({"database_url": url, "database_pool_size": 10}))
