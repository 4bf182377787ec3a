"""The storage client against the local storage server, and against servers that fail."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread
from time import monotonic
from uuid import uuid4

import pytest
from google.cloud.storage import Client

from infra.local.storage import StorageServer
from shared.clients.audio_storage import AudioStorage, StoredObject, TimeLimits
from shared.config import StorageSettings
from shared.errors import StorageFailed
from tests.local.storage import BUCKET, Clock, connecting, serving

AS_DEPLOYED = TimeLimits()
IMPATIENT = TimeLimits(connect_seconds=0.5, read_seconds=0.5, retry_seconds=0.5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with serving(tmp_path_factory.mktemp("storage"), Clock()) as server:
        yield server


@pytest.fixture
def storage(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioStorage]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    with opened() as storage:
        yield storage


@pytest.fixture
def client(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    with connecting() as client:
        yield client


@pytest.fixture
def folder() -> str:
    return f"audio/{uuid4()}/"


@contextmanager
def opened(bucket: str = BUCKET, limits: TimeLimits = AS_DEPLOYED) -> Iterator[AudioStorage]:
    storage = AudioStorage(StorageSettings(audio_bucket=bucket), limits)
    try:
        yield storage
    finally:
        storage.close()


class TestCreate:
    def test_an_mp3_is_stored_to_be_cached_for_ever(self, storage: AudioStorage, client: Client, folder: str) -> None:
        assert storage.create(folder + "EN1.mp3", b"mp3", {"duration-ms": "1730"})
        blob = client.bucket(BUCKET).get_blob(folder + "EN1.mp3")
        assert (blob.download_as_bytes(), blob.content_type) == (b"mp3", "audio/mpeg")
        assert blob.cache_control == "private, max-age=31536000, immutable"
        assert blob.metadata == {"duration-ms": "1730"}

    def test_what_is_there_is_not_changed(self, storage: AudioStorage, client: Client, folder: str) -> None:
        storage.create(folder + "EN1.mp3", b"first", {"k": "1"})
        assert not storage.create(folder + "EN1.mp3", b"second", {"k": "2"})
        assert client.bucket(BUCKET).blob(folder + "EN1.mp3").download_as_bytes() == b"first"
        assert storage.find(folder + "EN1.mp3") == StoredObject(size_bytes=5, metadata={"k": "1"})

    def test_of_many_that_create_at_once_one_does(self, storage: AudioStorage, folder: str) -> None:
        with ThreadPoolExecutor(8) as threads:
            created = threads.map(lambda text: storage.create(folder + "a", str(text).encode(), {}), range(24))
            assert list(created).count(True) == 1

    def test_eight_threads_can_share_a_client(self, storage: AudioStorage, folder: str) -> None:
        names = [f"{folder}{number}.mp3" for number in range(200)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: storage.create(name, name.encode(), {"name": name}), names))
            found = list(threads.map(storage.find, names))
        assert found == [StoredObject(len(name), {"name": name}) for name in names]


class TestFind:
    def test_size_and_metadata_are_found(self, storage: AudioStorage, folder: str) -> None:
        storage.create(folder + "a", b"12345", {"duration-ms": "1730"})
        assert storage.find(folder + "a") == StoredObject(5, {"duration-ms": "1730"})

    def test_an_object_without_metadata_has_none(self, storage: AudioStorage, folder: str) -> None:
        storage.create(folder + "a", b"", {})
        assert storage.find(folder + "a") == StoredObject(0, {})

    def test_what_is_not_there_is_not_found(self, storage: AudioStorage, folder: str) -> None:
        assert storage.find(folder + "a") is None


class TestDelete:
    def test_a_deleted_object_is_gone(self, storage: AudioStorage, folder: str) -> None:
        storage.create(folder + "a", b"", {})
        storage.delete(folder + "a")
        assert storage.find(folder + "a") is None

    def test_what_is_not_there_can_be_deleted(self, storage: AudioStorage, folder: str) -> None:
        storage.delete(folder + "a")


class TestDeletePrefix:
    @pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
    def test_every_object_of_a_folder_is_deleted(
        self, storage: AudioStorage, client: Client, folder: str, count: int
    ) -> None:
        create_many(storage, [f"{folder}{number % 3}/ż {number}.mp3" for number in range(count)])
        assert storage.delete_prefix(folder) == count
        assert list(client.list_blobs(BUCKET, prefix=folder)) == []

    def test_what_merely_begins_alike_stays(self, storage: AudioStorage, folder: str) -> None:
        inside, beside = folder + "b1/a", folder + "b10/a"
        create_many(storage, [inside, beside])
        storage.delete_prefix(folder + "b1/")
        assert (storage.find(inside), storage.find(beside) is None) == (None, False)

    @pytest.mark.parametrize("prefix", ["", "/", "//", "audio", "audio/user"])
    def test_what_is_no_folder_is_refused(self, storage: AudioStorage, prefix: str) -> None:
        with pytest.raises(ValueError, match="not a folder"):
            storage.delete_prefix(prefix)

    def test_two_that_delete_at_once_both_succeed(self, storage: AudioStorage, folder: str) -> None:
        create_many(storage, [f"{folder}{number}" for number in range(150)])
        with ThreadPoolExecutor(2) as threads:
            assert sum(threads.map(storage.delete_prefix, [folder, folder])) == 150


def test_a_call_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would look up the bucket too, in the background."""
    with answering(*[Answer()] * 50, Answer(404)) as port, opened_at(port, monkeypatch) as storage:
        for _ in range(50):
            assert storage.find("a")
        assert storage.find("a") is None


class TestFailures:
    def test_a_bucket_that_is_not_there_is_a_failure(
        self, server: StorageServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        with opened("no-such-bucket") as lost, pytest.raises(StorageFailed):
            lost.create("a", b"", {})

    def test_a_server_that_is_not_there_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with create_server(("127.0.0.1", 0)) as unused:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert_every_call_fails()

    def test_a_server_that_does_not_answer_is_a_failure_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with create_server(("127.0.0.1", 0)) as silent, opened_at(silent.getsockname()[1], monkeypatch) as storage:
            start = monotonic()
            with pytest.raises(StorageFailed):
                storage.find("a")
            assert monotonic() - start < 2.5

    @pytest.mark.parametrize("status", [302, 401, 403, 429, 500, 503])
    def test_a_refusal_is_a_failure(self, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
        with answering(Answer(status)) as port:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
            assert_every_call_fails()

    def test_an_answer_that_makes_no_sense_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with answering(Answer(body=b"<html>")) as port:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
            assert_every_call_fails()

    def test_an_answer_that_is_no_answer_to_a_batch_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with (
            answering(LISTING_OF_TWO) as port,
            opened_at(port, monkeypatch) as storage,
            pytest.raises(StorageFailed),
        ):
            storage.delete_prefix("a/")

    def test_only_what_failed_in_a_batch_is_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [LISTING_OF_TWO, Answer.to_batch(204, 503), Answer.to_batch(204)]
        with answering(*answers) as port, opened_at(port, monkeypatch, AS_DEPLOYED) as storage:
            assert storage.delete_prefix("a/") == 2

    def test_a_batch_in_which_something_keeps_failing_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [LISTING_OF_TWO, Answer.to_batch(204, 503), Answer.to_batch(503)]
        with (
            answering(*answers) as port,
            opened_at(port, monkeypatch) as storage,
            pytest.raises(StorageFailed),
        ):
            storage.delete_prefix("a/")

    def test_what_may_not_be_deleted_is_a_failure_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        start = monotonic()
        with (
            answering(LISTING_OF_TWO, Answer.to_batch(204, 403)) as port,
            opened_at(port, monkeypatch, AS_DEPLOYED) as storage,
            pytest.raises(StorageFailed),
        ):
            storage.delete_prefix("a/")
        assert monotonic() - start < 2

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_passing_failure_is_tried_again(self, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
        with answering(Answer(status), Answer()) as port, opened_at(port, monkeypatch, AS_DEPLOYED) as storage:
            assert storage.find("a") == StoredObject(5, {})

    def test_without_credentials_there_is_no_storage(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
        with pytest.raises(StorageFailed):
            AudioStorage(StorageSettings(audio_bucket=BUCKET))


def test_googles_package_is_imported_only_when_it_is_used() -> None:
    program = (
        "import sys, shared.clients.audio_storage;"
        "print([name in sys.modules for name in ('google.cloud.storage', 'google.api_core', 'google.auth')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[False, False, False]\n"


def create_many(storage: AudioStorage, names: Iterable[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda name: storage.create(name, b"mp3", {}), names))


def assert_every_call_fails() -> None:
    with opened(limits=IMPATIENT) as storage:
        for call in (
            lambda: storage.create("a", b"", {}),
            lambda: storage.find("a"),
            lambda: storage.delete("a"),
            lambda: storage.delete_prefix("a/"),
        ):
            with pytest.raises(StorageFailed):
                call()


@contextmanager
def opened_at(port: int, monkeypatch: pytest.MonkeyPatch, limits: TimeLimits = IMPATIENT) -> Iterator[AudioStorage]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    with opened(limits=limits) as storage:
        yield storage


@dataclass(frozen=True)
class Answer:
    """What a server says, whatever it is asked."""

    status: int = 200
    body: bytes = b'{"name": "a", "size": "5"}'
    content_type: str = "application/json"

    @classmethod
    def to_batch(cls, *statuses: int) -> "Answer":
        """A batch was taken, and each request in it was answered with one of these."""
        head = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1"
        parts = "".join(f"{head} {status} Status\r\nContent-Length: 0\r\n\r\n\r\n" for status in statuses)
        return cls(body=f"{parts}--b--".encode(), content_type="multipart/mixed; boundary=b")


@contextmanager
def answering(*answers: Answer) -> Iterator[int]:
    """The port of a server that gives these answers in turn, then the last of them for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Location", "/")
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815  the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


LISTING_OF_TWO = Answer(body=b'{"items": [{"name": "a/1"}, {"name": "a/2"}]}')
