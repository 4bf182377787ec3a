"""The JSON API of the local storage server, driven by google-cloud-storage."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from google.api_core.exceptions import BadRequest, Conflict, NotFound, NotModified, PreconditionFailed
from google.cloud.storage import Bucket, Client

from infra.local.storage import StorageServer
from tests.local.storage import BUCKET, START, Clock, connecting, serving

NAMES = ["plain", "a/b/c.mp3", "sp ace+&=?#%25", "żółć/日本語/🎧", "/leading//slashes/", "quote'\"<>"]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[StorageServer]:
    with serving(tmp_path_factory.mktemp("storage"), clock) as server:
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
def folder() -> str:
    """A prefix of this test alone."""
    return f"{uuid4()}/"


class TestBuckets:
    def test_a_bucket_that_was_created_is_there(self, client: Client) -> None:
        client.create_bucket("another-bucket")
        assert client.get_bucket("another-bucket").name == "another-bucket"

    def test_a_bucket_is_created_once(self, client: Client) -> None:
        with pytest.raises(Conflict):
            client.create_bucket(BUCKET)

    @pytest.mark.parametrize("name", ["..", "UPPER", "a", "with space", "-start"])
    def test_a_bad_name_is_refused(self, server: StorageServer, name: str) -> None:
        assert requests.post(f"{server.url}/storage/v1/b", json={"name": name}, timeout=5).status_code == 400

    def test_a_bucket_that_was_not_created_is_not_there(self, client: Client) -> None:
        with pytest.raises(NotFound):
            client.get_bucket("no-such-bucket")

    def test_nothing_can_be_put_into_a_bucket_that_is_not_there(self, client: Client) -> None:
        with pytest.raises(NotFound):
            client.bucket("no-such-bucket").blob("a").upload_from_string(b"")


class TestObjects:
    @pytest.mark.parametrize("name", NAMES)
    def test_what_was_stored_comes_back(self, bucket: Bucket, name: str) -> None:
        bucket.blob(name).upload_from_string(b"\x00\r\n\xff--", content_type="audio/mpeg")
        assert bucket.get_blob(name).download_as_bytes() == b"\x00\r\n\xff--"

    def test_names_that_differ_by_a_slash_are_different_objects(self, bucket: Bucket, folder: str) -> None:
        for name in ("a", "a/", "a/b"):
            bucket.blob(folder + name).upload_from_string(name)
        assert [bucket.blob(folder + name).download_as_text() for name in ("a", "a/", "a/b")] == ["a", "a/", "a/b"]

    @pytest.mark.parametrize("name", [".", "..", "line\nbreak", "x" * 1025])
    def test_a_name_that_google_refuses_is_refused(self, server: StorageServer, name: str) -> None:
        url = f"{server.url}/upload/storage/v1/b/{BUCKET}/o"
        answer = requests.post(url, params={"uploadType": "media", "name": name}, data=b"", timeout=5)
        assert answer.status_code == 400

    def test_metadata_is_kept(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.metadata = {"duration-ms": "1730", "text": "zażółć"}
        blob.cache_control = "private, max-age=1"
        blob.upload_from_string(b"abc", content_type="audio/mpeg")
        stored = bucket.get_blob(folder + "a")
        assert (stored.size, stored.content_type, stored.cache_control) == (3, "audio/mpeg", "private, max-age=1")
        assert stored.metadata == {"duration-ms": "1730", "text": "zażółć"}

    def test_checksums_and_times_are_told(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"hello")
        assert (blob.md5_hash, blob.crc32c) == ("XUFAKrxLKna5cZ2REBfFkg==", "mnG7TA==")
        assert (blob.time_created, blob.updated) == (START, START)

    def test_too_much_metadata_is_refused(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.metadata = {"long": "x" * 9000}
        with pytest.raises(BadRequest):
            blob.upload_from_string(b"")

    def test_a_header_that_could_not_be_sent_is_refused(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.cache_control = "private\r\nSet-Cookie: a=b"
        with pytest.raises(BadRequest):
            blob.upload_from_string(b"")

    def test_replacing_raises_the_generation(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        first = blob.generation
        blob.upload_from_string(b"2")
        assert (blob.generation > first, blob.metageneration) == (True, 1)

    def test_a_patch_changes_what_it_names(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.metadata, blob.cache_control = {"kept": "1", "gone": "2"}, "no-store"
        blob.upload_from_string(b"abc", content_type="audio/mpeg")
        blob.metadata = {"gone": None, "new": "3"}
        blob.patch()
        stored = bucket.get_blob(folder + "a")
        assert (stored.metadata, stored.cache_control) == ({"kept": "1", "new": "3"}, "no-store")
        assert (stored.metageneration, stored.download_as_bytes()) == (2, b"abc")

    def test_an_update_replaces_all_that_can_be_changed(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.metadata, blob.cache_control = {"gone": "1"}, "no-store"
        blob.upload_from_string(b"abc")
        answer = requests.put(blob.self_link, json={"metadata": {"new": "2"}}, timeout=5)
        assert (answer.json()["metadata"], "cacheControl" in answer.json()) == ({"new": "2"}, False)

    def test_a_deleted_object_is_gone(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"abc")
        blob.delete()
        assert bucket.get_blob(folder + "a") is None
        with pytest.raises(NotFound):
            blob.download_as_bytes()
        with pytest.raises(NotFound):
            blob.delete()

    def test_a_copy_has_bytes_and_metadata(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.metadata = {"k": "v"}
        blob.upload_from_string(b"abc", content_type="audio/mpeg")
        bucket.copy_blob(blob, bucket, folder + "b/c")
        copy = bucket.get_blob(folder + "b/c")
        assert (copy.download_as_bytes(), copy.content_type, copy.metadata) == (b"abc", "audio/mpeg", {"k": "v"})

    def test_a_rewrite_is_done_at_once(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"abc")
        token, written, total = bucket.blob(folder + "b").rewrite(blob)
        assert (token, written, total, bucket.blob(folder + "b").download_as_bytes()) == (None, 3, 3, b"abc")

    def test_a_part_can_be_downloaded(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"0123456789")
        assert blob.download_as_bytes(start=2, end=4) == b"234"
        assert blob.download_as_bytes(start=8) == b"89"


class TestPreconditions:
    def test_what_exists_is_not_created_again(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"first", if_generation_match=0)
        with pytest.raises(PreconditionFailed):
            blob.upload_from_string(b"second", if_generation_match=0)
        assert blob.download_as_bytes() == b"first"

    def test_of_many_that_create_at_once_one_does(self, bucket: Bucket, folder: str) -> None:
        def create(number: int) -> bool:
            try:
                bucket.blob(folder + "a").upload_from_string(str(number), if_generation_match=0)
            except PreconditionFailed:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            created = list(threads.map(create, range(24)))
        assert bucket.blob(folder + "a").download_as_text() == str(created.index(True))
        assert created.count(True) == 1

    def test_only_the_generation_that_was_seen_is_replaced(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        seen = blob.generation
        blob.upload_from_string(b"2", if_generation_match=seen)
        with pytest.raises(PreconditionFailed):
            blob.upload_from_string(b"3", if_generation_match=seen)

    def test_only_the_metadata_that_was_seen_is_changed(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        with pytest.raises(PreconditionFailed):
            blob.patch(if_metageneration_match=2)
        blob.patch(if_metageneration_match=1)

    def test_only_the_generation_that_was_seen_is_deleted(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        with pytest.raises(PreconditionFailed):
            blob.delete(if_generation_match=blob.generation - 1)
        blob.delete(if_generation_match=blob.generation)

    def test_what_has_not_changed_is_not_read_again(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        with pytest.raises(NotModified):
            blob.reload(if_generation_not_match=blob.generation)

    def test_a_generation_that_is_not_live_is_not_found(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        assert bucket.get_blob(folder + "a", generation=blob.generation - 1) is None

    def test_a_source_that_has_changed_is_not_copied(self, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"1")
        with pytest.raises(PreconditionFailed):
            bucket.copy_blob(blob, bucket, folder + "b", if_source_generation_match=blob.generation - 1)

    def test_a_condition_that_is_no_number_is_refused(self, server: StorageServer) -> None:
        url = f"{server.url}/storage/v1/b/{BUCKET}/o/a?ifGenerationMatch=latest"
        requests.post(f"{server.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=a", data=b"", timeout=5)
        assert requests.delete(url, timeout=5).status_code == 400


class TestListings:
    @pytest.fixture
    def names(self, bucket: Bucket, folder: str) -> list[str]:
        """Names in the order of their UTF-8 bytes, which UTF-16 would not keep."""
        names = [folder + name for name in ("A", "a", "b/", "b/1", "b/2", "b/c/3", "d/4", "z", "ż", "\uffee", "🎧")]
        for name in reversed(names):
            bucket.blob(name).upload_from_string(name)
        return names

    def test_objects_are_listed_by_name(self, client: Client, folder: str, names: list[str]) -> None:
        assert [blob.name for blob in client.list_blobs(BUCKET, prefix=folder)] == names

    @pytest.mark.parametrize("page_size", [1, 2, 3, 5, 50])
    def test_pages_of_any_size_make_the_same_listing(
        self, client: Client, folder: str, names: list[str], page_size: int
    ) -> None:
        listing = client.list_blobs(BUCKET, prefix=folder, page_size=page_size)
        pages = [[blob.name for blob in page] for page in listing.pages]
        assert [name for page in pages for name in page] == names
        assert max(len(page) for page in pages) == min(page_size, len(names))

    @pytest.mark.parametrize("page_size", [1, 2, 3, 50])
    @pytest.mark.usefixtures("names")
    def test_a_delimiter_makes_folders(self, client: Client, folder: str, page_size: int) -> None:
        listing = client.list_blobs(BUCKET, prefix=folder, delimiter="/", page_size=page_size)
        listed = [blob.name.removeprefix(folder) for blob in listing]
        assert listed == ["A", "a", "z", "ż", "\uffee", "🎧"]
        assert listing.prefixes == {folder + "b/", folder + "d/"}

    @pytest.mark.parametrize("page_size", [1, 2, 50])
    @pytest.mark.usefixtures("names")
    def test_a_folder_that_is_an_object_too_is_listed(self, client: Client, folder: str, page_size: int) -> None:
        listing = client.list_blobs(BUCKET, prefix=folder + "b/", delimiter="/", page_size=page_size)
        assert [blob.name.removeprefix(folder) for blob in listing] == ["b/", "b/1", "b/2"]
        assert listing.prefixes == {folder + "b/c/"}

    def test_offsets_bound_a_listing(self, client: Client, folder: str, names: list[str]) -> None:
        listing = client.list_blobs(BUCKET, prefix=folder, start_offset=names[3], end_offset=names[7])
        assert [blob.name for blob in listing] == names[3:7]

    def test_an_object_deleted_between_two_pages_is_not_missed_and_misses_no_other(
        self, client: Client, bucket: Bucket, folder: str, names: list[str]
    ) -> None:
        listed = []
        for page in client.list_blobs(BUCKET, prefix=folder, page_size=2).pages:
            for blob in page:
                listed.append(blob.name)
                bucket.delete_blob(blob.name)
        assert listed == names

    @pytest.mark.parametrize("query", ["maxResults=0", "maxResults=x", "pageToken=!", "pageToken=eA==", "matchGlob=*"])
    def test_a_query_that_makes_no_sense_is_refused(self, server: StorageServer, query: str) -> None:
        assert requests.get(f"{server.url}/storage/v1/b/{BUCKET}/o?{query}", timeout=5).status_code == 400


class TestBatches:
    def test_each_request_of_a_batch_is_answered(self, client: Client, bucket: Bucket, folder: str) -> None:
        names = [folder + name for name in ("a", "żó/b c")]
        for name in names:
            bucket.blob(name).upload_from_string(b"")
        with client.batch(raise_exception=False) as batch:
            for name in [names[0], folder + "missing", names[1]]:
                bucket.delete_blob(name)
        assert [answer.status_code for answer in batch._responses] == [204, 404, 204]
        assert list(client.list_blobs(BUCKET, prefix=folder)) == []

    def test_a_batch_can_change_metadata(self, client: Client, bucket: Bucket, folder: str) -> None:
        blob = bucket.blob(folder + "a")
        blob.upload_from_string(b"")
        with client.batch():
            blob.metadata = {"k": "v"}
            blob.patch()
        assert bucket.get_blob(folder + "a").metadata == {"k": "v"}

    def test_more_than_a_hundred_requests_are_refused(self, client: Client, bucket: Bucket) -> None:
        batch = client.batch()
        with pytest.raises(BadRequest), batch:
            delete_many(bucket, 101)

    @pytest.mark.parametrize("body", [b"", b"garbage", b"--b\r\n\r\nnot http\r\n--b--", b"--b\r\n\r\nGET\r\n--b--"])
    def test_garbage_is_refused(self, server: StorageServer, body: bytes) -> None:
        headers = {"Content-Type": "multipart/mixed; boundary=b"}
        answer = requests.post(f"{server.url}/batch/storage/v1", data=body, headers=headers, timeout=5)
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "request_line",
        [
            f"POST /upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=a",
            f"GET /storage/v1/b/{BUCKET}/o/a?alt=media",
            f"GET /download/storage/v1/b/{BUCKET}/o/a",
            "POST /batch/storage/v1",
        ],
    )
    def test_uploads_downloads_and_batches_in_a_batch_are_refused(
        self, server: StorageServer, bucket: Bucket, request_line: str
    ) -> None:
        bucket.blob("a").upload_from_string(b"abc")
        body = f"--b\r\nContent-Type: application/http\r\n\r\n{request_line} HTTP/1.1\r\n\r\n\r\n--b--"
        headers = {"Content-Type": "multipart/mixed; boundary=b"}
        answer = requests.post(f"{server.url}/batch/storage/v1", data=body, headers=headers, timeout=5)
        assert answer.status_code == 400


class TestErrors:
    def test_an_error_has_googles_shape(self, server: StorageServer) -> None:
        answer = requests.get(f"{server.url}/storage/v1/b/{BUCKET}/o/missing", timeout=5)
        message = f"No such object: {BUCKET}/missing"
        cause = {"message": message, "domain": "global", "reason": "notFound"}
        assert answer.json() == {"error": {"code": 404, "message": message, "errors": [cause]}}

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/storage/v1/unknown", 404),
            ("PUT", f"/storage/v1/b/{BUCKET}", 405),
            ("GET", f"/storage/v1/b/{BUCKET}/o/%ff", 400),
            ("POST", "/storage/v1/b", 400),
            ("POST", f"/upload/storage/v1/b/{BUCKET}/o?name=a", 400),
            ("PATCH", f"/storage/v1/b/{BUCKET}/o/missing", 404),
        ],
    )
    def test_what_cannot_be_answered_is_refused(
        self, server: StorageServer, method: str, path: str, status: int
    ) -> None:
        answer = requests.request(method, server.url + path, timeout=5)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)

    def test_no_page_of_another_origin_may_read_the_answers(self, server: StorageServer) -> None:
        url = f"{server.url}/storage/v1/b/{BUCKET}"
        answer = requests.get(url, headers={"Origin": "http://127.0.0.1:8080"}, timeout=5)
        assert "Access-Control-Allow-Origin" not in answer.headers


def delete_many(bucket: Bucket, count: int) -> None:
    for number in range(count):
        bucket.delete_blob(str(number))


def test_a_server_on_another_directory_knows_nothing_of_these_objects(tmp_path: Path, clock: Clock) -> None:
    with serving(tmp_path, clock) as other:
        listing = requests.get(f"{other.url}/storage/v1/b/{BUCKET}/o", timeout=5).json()
    assert listing["items"] == []
