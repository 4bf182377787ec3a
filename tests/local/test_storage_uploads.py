"""Uploads to the local storage server: by google-cloud-storage, and by hand where the client never goes."""

from collections.abc import Iterator
from io import BytesIO
from uuid import uuid4

import pytest
import requests
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Bucket, Client
from requests import Response

from infra.local.storage import StorageServer
from tests.local.storage import BUCKET, Clock, connecting, serving

MEBIBYTE = 1024 * 1024
CHUNK_BYTES = 256 * 1024
BOUNDARY = "the-boundary"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with serving(tmp_path_factory.mktemp("storage"), Clock()) as server:
        yield server


@pytest.fixture
def client(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    with connecting() as client:
        yield client


@pytest.fixture
def bucket(client: Client) -> Bucket:
    return client.bucket(BUCKET)


@pytest.fixture
def name() -> str:
    return str(uuid4())


class TestMultipart:
    def test_bytes_that_look_like_a_boundary_are_kept(self, server: StorageServer, bucket: Bucket, name: str) -> None:
        data = f"--{BOUNDARY}\r\nContent-Type: x\r\n\r\n--{BOUNDARY}--".encode()
        assert upload_multipart(server, name, data).status_code == 200
        assert bucket.blob(name).download_as_bytes() == data

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\n\r", bytes(range(256)) * 20])
    def test_bytes_are_kept_as_they_are(self, bucket: Bucket, name: str, data: bytes) -> None:
        bucket.blob(name).upload_from_string(data, content_type="audio/mpeg")
        assert bucket.blob(name).download_as_bytes() == data

    @pytest.mark.parametrize("body", [b"", b"garbage", f"--{BOUNDARY}--".encode(), f"--{BOUNDARY}\r\n".encode()])
    def test_a_body_that_is_cut_off_is_refused(self, server: StorageServer, body: bytes) -> None:
        assert post(server, "multipart", "a", body, {"Content-Type": related()}).status_code == 400

    def test_a_body_without_a_boundary_is_refused(self, server: StorageServer) -> None:
        assert post(server, "multipart", "a", b"x", {"Content-Type": "multipart/related"}).status_code == 400

    @pytest.mark.parametrize("resource", [b"[]", b"{", b'{"name": 1}', b'{"metadata": 1}', b'{"metadata": {"a": 1}}'])
    def test_a_resource_that_does_not_fit_is_refused(self, server: StorageServer, resource: bytes) -> None:
        assert upload_multipart(server, "a", b"", resource).status_code == 400


class TestChecksums:
    @pytest.mark.parametrize("checksum", ["md5", "crc32c"])
    def test_the_client_sends_one_that_fits(self, bucket: Bucket, name: str, checksum: str) -> None:
        bucket.blob(name).upload_from_string(b"hello", checksum=checksum)
        assert bucket.blob(name).download_as_bytes(checksum=checksum) == b"hello"

    @pytest.mark.parametrize("field", ["md5Hash", "crc32c"])
    def test_bytes_that_do_not_fit_the_resource_are_refused(
        self, server: StorageServer, bucket: Bucket, name: str, field: str
    ) -> None:
        answer = upload_multipart(server, name, b"hello", f'{{"{field}": "AAAAAA=="}}'.encode())
        assert (answer.status_code, bucket.get_blob(name)) == (400, None)

    @pytest.mark.parametrize(
        "header", [{"Content-MD5": "AAAA"}, {"X-Goog-Hash": "crc32c=AAAA"}, {"X-Goog-Hash": "crc32c=mnG7TA==, md5=AA"}]
    )
    def test_bytes_that_do_not_fit_a_header_are_refused(
        self, server: StorageServer, bucket: Bucket, name: str, header: dict[str, str]
    ) -> None:
        answer = post(server, "media", name, b"hello", header)
        assert (answer.status_code, bucket.get_blob(name)) == (400, None)

    def test_bytes_that_fit_a_header_are_taken(self, server: StorageServer, name: str) -> None:
        assert post(server, "media", name, b"hello", {"X-Goog-Hash": "crc32c=mnG7TA=="}).status_code == 200


class TestMedia:
    def test_the_body_is_the_object(self, server: StorageServer, bucket: Bucket, name: str) -> None:
        post(server, "media", name, b"hello", {"Content-Type": "audio/mpeg"})
        stored = bucket.get_blob(name)
        assert (stored.download_as_bytes(), stored.content_type) == (b"hello", "audio/mpeg")


class TestResumable:
    @pytest.mark.parametrize("size_bytes", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
    def test_chunks_make_the_object(self, bucket: Bucket, name: str, size_bytes: int) -> None:
        data = (uuid4().bytes * (size_bytes // 16 + 1))[:size_bytes]
        blob = bucket.blob(name, chunk_size=CHUNK_BYTES)
        blob.metadata = {"k": "v"}
        blob.upload_from_file(BytesIO(data), content_type="audio/mpeg")
        stored = bucket.get_blob(name)
        assert (stored.download_as_bytes(), stored.content_type) == (data, "audio/mpeg")
        assert stored.metadata == {"k": "v"}

    def test_an_object_too_big_for_one_request_goes_in_one_piece(self, bucket: Bucket, name: str) -> None:
        data = bytes(9 * MEBIBYTE)
        bucket.blob(name).upload_from_string(data)
        assert bucket.get_blob(name).size == len(data)

    def test_what_exists_is_not_created_again(self, bucket: Bucket, name: str) -> None:
        bucket.blob(name).upload_from_string(b"first")
        with pytest.raises(PreconditionFailed):
            bucket.blob(name, chunk_size=CHUNK_BYTES).upload_from_file(BytesIO(b"second"), if_generation_match=0)

    def test_what_was_created_meanwhile_is_not_replaced(self, server: StorageServer, bucket: Bucket, name: str) -> None:
        address = start(server, name, {"ifGenerationMatch": "0"})
        bucket.blob(name).upload_from_string(b"first")
        assert requests.put(address, data=b"second", timeout=5).status_code == 412
        assert bucket.blob(name).download_as_bytes() == b"first"

    def test_nothing_is_there_before_the_last_byte(self, server: StorageServer, bucket: Bucket, name: str) -> None:
        send(start(server, name), b"012", "bytes 0-2/6")
        assert bucket.get_blob(name) is None

    def test_the_server_tells_how_far_it_came(self, server: StorageServer, name: str) -> None:
        address = start(server, name)
        assert "Range" not in send(address, b"", "bytes */6").headers
        assert send(address, b"012", "bytes 0-2/6").headers["Range"] == "bytes=0-2"
        status = send(address, b"", "bytes */6")
        assert (status.status_code, status.headers["Range"]) == (308, "bytes=0-2")

    def test_a_chunk_sent_twice_counts_once(self, server: StorageServer, bucket: Bucket, name: str) -> None:
        address = start(server, name)
        for chunk, content_range in [(b"012", "bytes 0-2/6"), (b"012", "bytes 0-2/6"), (b"345", "bytes 3-5/6")]:
            send(address, chunk, content_range)
        assert bucket.blob(name).download_as_bytes() == b"012345"

    def test_a_chunk_that_leaves_a_gap_changes_nothing(self, server: StorageServer, name: str) -> None:
        address = start(server, name)
        send(address, b"012", "bytes 0-2/9")
        assert send(address, b"678", "bytes 6-8/9").headers["Range"] == "bytes=0-2"

    def test_the_last_chunk_sent_twice_gets_the_same_answer(
        self, server: StorageServer, bucket: Bucket, name: str
    ) -> None:
        address = start(server, name)
        first = send(address, b"012", "bytes 0-2/3").json()
        bucket.blob(name).reload()
        assert send(address, b"012", "bytes 0-2/3").json() == first
        assert bucket.get_blob(name).generation == int(first["generation"])

    @pytest.mark.parametrize("content_range", ["bytes 0-9/10", "bytes", "0-2/3", "bytes 0-2"])
    def test_a_range_that_does_not_fit_is_refused(self, server: StorageServer, name: str, content_range: str) -> None:
        assert send(start(server, name), b"012", content_range).status_code == 400

    def test_a_canceled_upload_is_forgotten(self, server: StorageServer, name: str) -> None:
        address = start(server, name)
        assert requests.delete(address, timeout=5).status_code == 499
        assert send(address, b"012", "bytes 0-2/3").status_code == 404

    def test_an_upload_that_nobody_began_is_not_found(self, server: StorageServer) -> None:
        url = f"{server.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&upload_id=x"
        assert send(url, b"012", "bytes 0-2/3").status_code == 404


def related() -> str:
    return f'multipart/related; boundary="{BOUNDARY}-{uuid4()}"'


def upload_multipart(server: StorageServer, name: str, data: bytes, resource: bytes = b"{}") -> Response:
    content_type = related()
    delimiter = b"--" + content_type.partition('"')[2].rstrip('"').encode()
    parts = [b"Content-Type: application/json\r\n\r\n" + resource, b"content-type: audio/mpeg\r\n\r\n" + data]
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--"
    return post(server, "multipart", name, body, {"Content-Type": content_type})


def post(server: StorageServer, kind: str, name: str, body: bytes, headers: dict[str, str]) -> Response:
    url = f"{server.url}/upload/storage/v1/b/{BUCKET}/o"
    return requests.post(url, params={"uploadType": kind, "name": name}, data=body, headers=headers, timeout=5)


def start(server: StorageServer, name: str, query: dict[str, str] | None = None) -> str:
    """The address of a new resumable upload."""
    url = f"{server.url}/upload/storage/v1/b/{BUCKET}/o"
    parameters = {"uploadType": "resumable", "name": name} | (query or {})
    return requests.post(url, params=parameters, timeout=5).headers["Location"]


def send(address: str, data: bytes, content_range: str) -> Response:
    return requests.put(address, data=data, headers={"Content-Range": content_range}, timeout=5)
