"""What the local storage server keeps: over a restart, over `kill -9`, and beside files that are not whole."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import orjson
import pytest
import requests
from google.cloud.storage import Blob

from infra.local.storage import StorageServer
from infra.local.storage.buckets import Bucket, DirectoryInUse
from infra.local.storage.errors import NoSuchObject
from infra.local.storage.objects import EditableMetadata, checksums
from tests.local.storage import ACCESS_ID, APP_ORIGIN, BUCKET, SECRET, Clock, connecting, serving, signer

COMMAND = [sys.executable, "-m", "infra.local.storage", "--bucket", BUCKET, "--hmac-key", ACCESS_ID]
NOTHING = EditableMetadata()


@contextmanager
def running(root: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The server as a process of its own, and its URL; it ends as its parent would let it end."""
    with subprocess.Popen(
        [*COMMAND, "--root", str(root), "--cors", APP_ORIGIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "LOCAL_STORAGE_HMAC_SECRET": SECRET},
    ) as process:
        assert process.stdout is not None
        yield process, orjson.loads(process.stdout.readline())["url"]


class TestRestart:
    def test_objects_and_their_metadata_are_still_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock()
        with serving(tmp_path, clock) as server:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
            with connecting() as client:
                blob = client.bucket(BUCKET).blob("a/ż")
                blob.metadata, blob.cache_control = {"k": "ż"}, "no-store"
                blob.upload_from_string(b"abc\n", content_type="audio/mpeg")
                before = client.bucket(BUCKET).get_blob("a/ż")
        with serving(tmp_path, clock) as server:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
            with connecting() as client:
                [after] = client.list_blobs(BUCKET)
                assert without_address(after) == without_address(before)
                assert after.download_as_bytes() == b"abc\n"

    def test_buckets_are_still_there(self, tmp_path: Path) -> None:
        with serving(tmp_path, Clock()) as server:
            requests.post(f"{server.url}/storage/v1/b", json={"name": "another"}, timeout=5).raise_for_status()
        with serving(tmp_path, Clock()) as server:
            assert requests.get(f"{server.url}/storage/v1/b/another", timeout=5).status_code == 200

    def test_what_was_deleted_stays_deleted(self, bucket: Bucket, reopen: Callable[[], Bucket]) -> None:
        bucket.put("a", b"1", NOTHING)
        bucket.delete("a")
        with pytest.raises(NoSuchObject):
            reopen().read("a")

    def test_generations_go_on_rising_even_if_the_clock_does_not(
        self, bucket: Bucket, reopen: Callable[[], Bucket]
    ) -> None:
        first = bucket.put("a", b"1", NOTHING).generation
        assert reopen().put("a", b"2", NOTHING).generation > first

    def test_thousands_of_objects_are_indexed_quickly(self, bucket: Bucket, reopen: Callable[[], Bucket]) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: bucket.put(f"a/{number:04}", b"x" * 100, NOTHING), range(2000)))
        start = monotonic()
        names = reopen().names_from("")
        assert (len(names), names == sorted(names)) == (2000, True)
        assert monotonic() - start < 2


class TestDamage:
    @pytest.mark.parametrize("keep_bytes", [0, 10, -1])
    def test_a_file_that_was_cut_off_is_left_aside(
        self, bucket: Bucket, reopen: Callable[[], Bucket], objects: Path, keep_bytes: int
    ) -> None:
        bucket.put("whole", b"1", NOTHING)
        whole = set(objects.iterdir())
        bucket.put("cut", b"0123456789", NOTHING)
        [cut] = set(objects.iterdir()) - whole
        cut.write_bytes(cut.read_bytes()[:keep_bytes])
        assert reopen().names_from("") == ["whole"]

    def test_a_file_that_is_no_object_is_left_aside(
        self, bucket: Bucket, reopen: Callable[[], Bucket], objects: Path
    ) -> None:
        bucket.put("whole", b"1", NOTHING)
        (objects / "stray").write_bytes(b"\xff\n")
        assert reopen().names_from("") == ["whole"]

    def test_an_object_can_be_stored_again_where_its_file_was_damaged(
        self, bucket: Bucket, reopen: Callable[[], Bucket], objects: Path
    ) -> None:
        bucket.put("a", b"1", NOTHING)
        next(objects.iterdir()).write_bytes(b"")
        again = reopen()
        again.put("a", b"2", NOTHING)
        assert again.read("a")[1] == b"2"

    def test_what_was_being_written_is_cleared_away(self, reopen: Callable[[], Bucket], incoming: Path) -> None:
        incoming.mkdir(parents=True)
        (incoming / "half").write_bytes(b"half")
        reopen()
        assert list(incoming.iterdir()) == []


class TestConcurrency:
    def test_whoever_reads_during_a_write_gets_bytes_and_checksum_of_one_object(self, bucket: Bucket) -> None:
        bucket.put("a", b"", NOTHING)
        done = threading.Event()

        def write() -> None:
            for number in range(100):
                bucket.put("a", bytes([number]) * number * 50, NOTHING)
            done.set()

        def read() -> bool:
            agree = True
            while not done.is_set():
                metadata, data = bucket.read("a")
                agree &= metadata.md5_hash == checksums(data)["md5_hash"]
            return agree

        with ThreadPoolExecutor(4) as threads:
            readers = [threads.submit(read) for _ in range(3)]
            threads.submit(write).result()
        assert all(reader.result() for reader in readers)

    def test_objects_that_come_and_go_at_once_leave_the_index_as_the_disk_is(
        self, bucket: Bucket, reopen: Callable[[], Bucket]
    ) -> None:
        def churn(number: int) -> None:
            for turn in range(10):
                bucket.put(f"{number % 4}/{turn}", b"1", NOTHING)
                try:
                    bucket.delete(f"{(number + 1) % 4}/{turn}")
                except NoSuchObject:
                    continue

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(churn, range(8)))
        names = bucket.names_from("")
        assert names == sorted(set(names)) == reopen().names_from("")

    def test_a_second_server_on_the_same_directory_does_not_start(self, tmp_path: Path) -> None:
        with serving(tmp_path, Clock()), pytest.raises(DirectoryInUse):
            StorageServer(root=tmp_path, hmac_keys={})


class TestProcess:
    def test_it_serves_both_apis(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with running(tmp_path) as (_, url):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
            with connecting() as client:
                client.bucket(BUCKET).blob("a b").upload_from_string(b"abc")
            [signed_url] = signer(url).sign(["a b"], datetime.now(UTC)).urls
            answer = requests.get(signed_url, headers={"Origin": APP_ORIGIN}, timeout=5)
        assert (answer.content, answer.headers["Access-Control-Allow-Origin"]) == (b"abc", APP_ORIGIN)

    def test_it_ends_when_its_parent_closes_its_input(self, tmp_path: Path) -> None:
        with running(tmp_path) as (process, _):
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(timeout=5) == 0

    def test_it_does_not_start_without_a_secret(self, tmp_path: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "LOCAL_STORAGE_HMAC_SECRET"}
        command = [*COMMAND, "--root", str(tmp_path)]
        result = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=20)
        assert result.returncode == 2
        assert b"LOCAL_STORAGE_HMAC_SECRET is not set" in result.stderr

    def test_what_it_acknowledged_before_it_was_killed_is_there_afterwards(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running(tmp_path) as (process, url):
            acknowledged = upload_until_killed(process, url)
        with running(tmp_path) as (_, url):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
            with connecting() as client:
                listed = {blob.name: blob for blob in client.list_blobs(BUCKET)}
                assert acknowledged <= listed.keys()
                for name, blob in listed.items():
                    assert blob.download_as_bytes(checksum="md5") == body_of(name)


@pytest.fixture
def reopen(tmp_path: Path) -> Callable[[], Bucket]:
    """The bucket as a server finds it when it starts."""
    return lambda: Bucket(BUCKET, tmp_path / BUCKET, Clock())


@pytest.fixture
def bucket(reopen: Callable[[], Bucket]) -> Bucket:
    return reopen()


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    return tmp_path / BUCKET / "objects"


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    return tmp_path / BUCKET / "incoming"


def without_address(blob: Blob) -> dict[str, object]:
    """The resource of an object but for its links, which name the port."""
    return {field: value for field, value in blob._properties.items() if not field.endswith("Link")}


def upload_until_killed(process: subprocess.Popen[bytes], url: str) -> set[str]:
    """Kill the server while eight threads upload; the names of what it had acknowledged."""
    acknowledged: set[str] = set()

    def upload(thread: int) -> None:
        with requests.Session() as session:
            for number in range(1000):
                name = f"{thread}/{number}"
                query = {"uploadType": "media", "name": name}
                try:
                    session.post(
                        f"{url}/upload/storage/v1/b/{BUCKET}/o", params=query, data=body_of(name), timeout=5
                    ).raise_for_status()
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    return
                acknowledged.add(name)
                if len(acknowledged) == 100:
                    process.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload, range(8)))
    process.wait(timeout=5)
    return acknowledged


def body_of(name: str) -> bytes:
    return name.encode() * 5000
