"""Signed URLs on the local storage server: what they open, and what is refused as Google refuses it."""

import http.client
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest
import requests
from requests import Response

from infra.local.storage import StorageServer
from infra.local.storage.signed_urls import MAX_CLOCK_SKEW
from tests.local.storage import ACCESS_ID, APP_ORIGIN, BUCKET, SECRET, START, Clock, serving, signer
from tests.v4_signing import HmacKey

NAME = "audio/a user/żółć/EN1.mp3"
OTHER_NAME = "audio/a user/żółć/EN2.mp3"
DATA = bytes(range(256)) * 4
CACHE_CONTROL = "private, max-age=31536000, immutable"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[StorageServer]:
    with serving(tmp_path_factory.mktemp("storage"), clock) as server:
        store(server, NAME, DATA)
        store(server, OTHER_NAME, b"other")
        yield server


@pytest.fixture
def url(server: StorageServer) -> str:
    """Opens the object until 08:10; the clock stands at 08:02."""
    [url] = signer(server.url).sign([NAME], START).urls
    return url


class TestDownload:
    def test_a_signed_url_gives_the_bytes(self, url: str) -> None:
        answer = get(url)
        assert (answer.status_code, answer.content) == (200, DATA)

    def test_the_answer_describes_the_object(self, url: str) -> None:
        headers = get(url).headers
        assert headers["Content-Type"] == "audio/mpeg"
        assert headers["Cache-Control"] == CACHE_CONTROL
        assert headers["Last-Modified"] == "Sat, 31 Jan 2026 08:02:00 GMT"
        assert headers["Accept-Ranges"] == "bytes"
        assert headers["Content-Length"] == str(len(DATA))
        assert re.fullmatch(r'"[0-9a-f]{32}"', headers["ETag"])

    @pytest.mark.parametrize(
        ("requested", "content_range", "part"),
        [
            ("bytes=0-", "bytes 0-1023/1024", DATA),
            ("bytes=10-19", "bytes 10-19/1024", DATA[10:20]),
            ("bytes=1000-5000", "bytes 1000-1023/1024", DATA[1000:]),
            ("bytes=-24", "bytes 1000-1023/1024", DATA[1000:]),
        ],
    )
    def test_a_range_gives_a_part(self, url: str, requested: str, content_range: str, part: bytes) -> None:
        answer = get(url, Range=requested)
        assert (answer.status_code, answer.headers["Content-Range"], answer.content) == (206, content_range, part)

    def test_a_range_past_the_end_cannot_be_given(self, url: str) -> None:
        answer = get(url, Range="bytes=1024-")
        assert (answer.headers["Content-Range"], refusal(answer)) == ("bytes */1024", (416, "InvalidRange"))

    @pytest.mark.parametrize("requested", ["bytes=0-1,5-6", "bytes=x-y", "bytes=9-1", "lines=1-2"])
    def test_a_range_that_is_not_understood_gives_the_whole(self, url: str, requested: str) -> None:
        answer = get(url, Range=requested)
        assert (answer.status_code, answer.content) == (200, DATA)

    def test_what_the_browser_has_is_not_sent_again(self, url: str) -> None:
        answer = get(url, **{"If-None-Match": get(url).headers["ETag"]})
        assert (answer.status_code, answer.content) == (304, b"")

    def test_a_range_of_an_object_that_has_changed_gives_the_whole(self, url: str) -> None:
        answer = get(url, **{"Range": "bytes=0-9", "If-Range": '"of another object"'})
        assert (answer.status_code, answer.content) == (200, DATA)

    def test_an_empty_object_has_no_ranges(self, server: StorageServer) -> None:
        store(server, "empty", b"")
        [url] = signer(server.url).sign(["empty"], START).urls
        answer = get(url, Range="bytes=0-")
        assert (get(url).content, answer.headers["Content-Range"]) == (b"", "bytes */0")
        assert refusal(answer) == (416, "InvalidRange")

    @pytest.mark.parametrize("name", ["plain", "a+b c%20d&e=f?g#h", "/leading//slash/", "~-._!'()*,:;@[]$", "🎧.mp3"])
    def test_any_name_can_be_signed(self, server: StorageServer, name: str) -> None:
        store(server, name, b"found")
        [url] = signer(server.url).sign([name], START).urls
        assert get(url).content == b"found"

    def test_what_a_url_leaves_unescaped_is_the_same_object(self, server: StorageServer) -> None:
        store(server, "a(b)!.mp3", b"found")
        [url] = signer(server.url).sign(["a(b)!.mp3"], START).urls
        assert send_raw("GET", url.replace("a%28b%29%21", "a(b)!")) == 200

    def test_a_url_for_head_tells_what_get_would(self, server: StorageServer, url: str) -> None:
        answer = requests.head(sign_for(server, "HEAD"), timeout=5)
        assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "1024", b"")
        assert answer.headers["ETag"] == get(url).headers["ETag"]

    def test_many_can_listen_at_once(self, server: StorageServer) -> None:
        urls = signer(server.url).sign([NAME] * 64, START).urls
        with ThreadPoolExecutor(16) as threads:
            assert {answer.content for answer in threads.map(get, urls)} == {DATA}

    def test_an_object_that_is_not_there_is_not_found(self, server: StorageServer) -> None:
        [url] = signer(server.url).sign(["missing"], START).urls
        assert refusal(get(url)) == (404, "NoSuchKey")

    def test_a_bucket_that_is_not_there_is_not_found(self, server: StorageServer) -> None:
        [url] = signer(server.url, audio_bucket="no-such-bucket").sign([NAME], START).urls
        assert refusal(get(url)) == (404, "NoSuchBucket")


class TestExpiry:
    def test_a_url_works_until_its_last_second(self, url: str, clock: Clock) -> None:
        clock.advance(minutes=8)
        assert get(url).status_code == 200

    def test_an_expired_url_is_refused(self, url: str, clock: Clock) -> None:
        clock.advance(minutes=8, seconds=1)
        answer = get(url)
        assert refusal(answer) == (400, "ExpiredToken")
        assert "Request signature expired at: 2026-01-31T08:10:00+00:00" in answer.text

    def test_a_url_of_an_hour_from_now_is_refused(self, server: StorageServer) -> None:
        [url] = signer(server.url).sign([NAME], START + timedelta(hours=1)).urls
        assert refusal(get(url)) == (403, "RequestTimeTooSkewed")

    def test_a_signer_whose_clock_is_a_little_fast_is_not(self, server: StorageServer, clock: Clock) -> None:
        [url] = signer(server.url).sign([NAME], START + timedelta(minutes=10)).urls
        clock.now = START.replace(minute=10) - MAX_CLOCK_SKEW
        assert get(url).status_code == 200

    def test_an_expiry_that_was_put_off_is_refused(self, url: str) -> None:
        assert refusal(get(url.replace("X-Goog-Expires=600", "X-Goog-Expires=86400"))) == (403, "SignatureDoesNotMatch")


class TestRefusals:
    @pytest.mark.parametrize(
        "part",
        ["EN1", "20260131T080000", "20260131%2F", "auto", "Expires=600", ACCESS_ID, "=host", "SignedHeaders", "HMAC"],
    )
    def test_no_character_can_be_changed(self, url: str, part: str) -> None:
        changed = url.replace(part, part[:-1] + ("1" if part[-1] != "1" else "2"))
        assert changed != url
        assert get(changed).status_code in {400, 403}

    @pytest.mark.parametrize("position", range(64))
    def test_no_digit_of_the_signature_can_be_changed(self, url: str, position: int) -> None:
        start = len(url) - 64 + position
        changed = url[:start] + ("0" if url[start] != "0" else "1") + url[start + 1 :]
        assert refusal(get(changed)) == (403, "SignatureDoesNotMatch")

    def test_a_tampered_signature_is_told_what_should_have_been_signed(self, url: str) -> None:
        answer = get(url[:-1] + ("0" if url[-1] != "0" else "1"))
        assert refusal(answer) == (403, "SignatureDoesNotMatch")
        assert "<StringToSign>GOOG4-HMAC-SHA256\n20260131T080000Z\n20260131/auto/storage/goog4_request\n" in answer.text
        assert f"<CanonicalRequest>GET\n/{BUCKET}/audio/a%20user/" in answer.text

    @pytest.mark.parametrize("signature", ["", "zz", "ż", "0" * 64])
    def test_a_made_up_signature_is_refused(self, url: str, signature: str) -> None:
        forged = re.sub(r"[0-9a-f]{64}$", quote(signature), url)
        assert refusal(get(forged)) == (403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("method", ["HEAD", "PUT", "POST", "DELETE", "PATCH"])
    def test_a_url_for_get_is_good_for_nothing_else(self, url: str, method: str) -> None:
        answer = requests.request(method, url, data=b"new", timeout=5)
        assert answer.status_code == 403
        assert get(url).content == DATA

    def test_a_url_that_was_signed_for_put_does_not_write(self, server: StorageServer, url: str) -> None:
        answer = requests.put(sign_for(server, "PUT"), data=b"new", timeout=5)
        assert (refusal(answer), get(url).content) == ((403, "AccessDenied"), DATA)

    def test_a_url_does_not_open_another_object(self, url: str) -> None:
        assert refusal(get(url.replace("EN1.mp3", "EN2.mp3"))) == (403, "SignatureDoesNotMatch")

    def test_a_url_does_not_open_another_bucket(self, url: str) -> None:
        assert refusal(get(url.replace(BUCKET, BUCKET + "2"))) == (403, "SignatureDoesNotMatch")

    def test_a_url_does_not_work_on_another_host(self, url: str) -> None:
        assert refusal(get(url, Host="storage.googleapis.com")) == (403, "SignatureDoesNotMatch")

    def test_without_a_signature_nothing_is_given(self, url: str) -> None:
        answer = get(url.partition("?")[0])
        assert refusal(answer) == (403, "AccessDenied")
        assert "Anonymous caller" in answer.text

    def test_without_a_signature_nobody_learns_what_exists(self, server: StorageServer) -> None:
        answers = [get(f"{server.url}/{path}") for path in (f"{BUCKET}/{NAME}", f"{BUCKET}/missing", "no-bucket/a")]
        assert {(*refusal(answer), answer.text) for answer in answers} == {
            (403, "AccessDenied", answers[0].text),
        }

    def test_an_unknown_signer_is_refused(self, server: StorageServer) -> None:
        [url] = signer(server.url, signer_access_id="GOOG1STRANGER").sign([NAME], START).urls
        assert refusal(get(url)) == (403, "InvalidSecurity")

    def test_a_wrong_secret_is_refused(self, server: StorageServer) -> None:
        [url] = signer(server.url, signer_secret="another secret of the signer").sign([NAME], START).urls
        assert refusal(get(url)) == (403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize(
        "repeated", ["X-Goog-Expires=86400", "X-Goog-Date=20260131T080000Z", "X-Goog-Signature=00"]
    )
    def test_a_repeated_parameter_is_refused(self, url: str, repeated: str) -> None:
        assert refusal(get(f"{url}&{repeated}")) == (400, "InvalidArgument")

    def test_a_parameter_that_was_not_signed_is_refused(self, url: str) -> None:
        assert refusal(get(f"{url}&response-content-type=text/html")) == (403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize(
        ("pattern", "replacement", "code"),
        [
            (r"GOOG4-HMAC-SHA256", "GOOG4-RSA-SHA256", "InvalidArgument"),
            (r"&X-Goog-Expires=\d+", "", "InvalidArgument"),
            (r"X-Goog-Expires=\d+", "X-Goog-Expires=0", "InvalidArgument"),
            (r"X-Goog-Expires=\d+", "X-Goog-Expires=604801", "InvalidArgument"),
            (r"X-Goog-Expires=\d+", "X-Goog-Expires=-600", "InvalidArgument"),
            (r"X-Goog-Date=\w+", "X-Goog-Date=yesterday", "InvalidArgument"),
            (r"X-Goog-Date=\w+", "X-Goog-Date=20260130T235959Z", "InvalidArgument"),
            (r"goog4_request", "aws4_request", "InvalidArgument"),
            (r"%2Fstorage%2F", "%2Fcompute%2F", "InvalidArgument"),
            (r"X-Goog-Date", "X-Goog-D%ff", "InvalidArgument"),
            (r"SignedHeaders=host", "SignedHeaders=accept", "MalformedSecurityHeader"),
            (r"SignedHeaders=host", "SignedHeaders=host%3Bx-goog-absent", "MalformedSecurityHeader"),
        ],
    )
    def test_a_url_that_is_no_v4_url_is_refused(self, url: str, pattern: str, replacement: str, code: str) -> None:
        changed, changes = re.subn(pattern, replacement, url)
        assert (changes, refusal(get(changed))) == (1, (400, code))

    @pytest.mark.parametrize("path", ["/", f"/{BUCKET}", f"/{BUCKET}/", "//", "/favicon.ico"])
    def test_there_is_nothing_beside_objects(self, server: StorageServer, path: str) -> None:
        assert send_raw("GET", server.url + path) == 404

    @pytest.mark.parametrize("path", [f"/{BUCKET}/../../etc/passwd", f"/{BUCKET}/%2e%2e%2f%2e%2e%2fetc%2fpasswd"])
    def test_no_path_leads_out_of_the_bucket(self, server: StorageServer, path: str) -> None:
        assert send_raw("GET", server.url + path) == 403

    def test_a_name_that_is_not_utf_8_is_refused(self, server: StorageServer) -> None:
        assert refusal(get(f"{server.url}/{BUCKET}/%ff")) == (400, "InvalidArgument")


class TestCors:
    def test_the_app_may_read_the_answer(self, url: str) -> None:
        headers = get(url, Origin=APP_ORIGIN).headers
        assert headers["Access-Control-Allow-Origin"] == APP_ORIGIN
        assert "ETag" in headers["Access-Control-Expose-Headers"]

    def test_the_app_may_read_a_refusal(self, url: str) -> None:
        assert get(url[:-1], Origin=APP_ORIGIN).headers["Access-Control-Allow-Origin"] == APP_ORIGIN

    @pytest.mark.parametrize("origin", ["http://127.0.0.1:8081", "https://evil.example", "null", APP_ORIGIN + ".evil"])
    def test_no_other_origin_may(self, url: str, origin: str) -> None:
        assert cors_headers(get(url, Origin=origin)) == []

    def test_a_cache_keeps_the_answers_to_two_origins_apart(self, url: str) -> None:
        assert get(url).headers["Vary"] == "Origin"

    def test_a_preflight_of_the_app_is_answered(self, url: str) -> None:
        answer = preflight(url, APP_ORIGIN, "GET")
        assert answer.status_code == 200
        assert "GET" in answer.headers["Access-Control-Allow-Methods"]
        assert "Range" in answer.headers["Access-Control-Allow-Headers"]

    def test_a_preflight_of_another_origin_gets_no_cors_header(self, url: str) -> None:
        assert cors_headers(preflight(url, "https://evil.example", "GET")) == []

    def test_a_preflight_for_writing_is_not_granted(self, url: str) -> None:
        assert "Access-Control-Allow-Methods" not in preflight(url, APP_ORIGIN, "PUT").headers


def store(server: StorageServer, name: str, data: bytes) -> None:
    upload = f"{server.url}/upload/storage/v1/b/{BUCKET}/o"
    resource = {"cacheControl": CACHE_CONTROL, "contentType": "audio/mpeg"}
    requests.post(upload, params={"uploadType": "media", "name": name}, data=data, timeout=5).raise_for_status()
    patched = f"{server.url}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
    requests.patch(patched, json=resource, timeout=5).raise_for_status()


def sign_for(server: StorageServer, method: str) -> str:
    """A valid URL for another method than our signer ever signs."""
    return HmacKey(ACCESS_ID, SECRET).sign(server.url, BUCKET, NAME, START, method=method)


def get(url: str, **headers: str) -> Response:
    return requests.get(url, headers=headers, timeout=5)


def preflight(url: str, origin: str, method: str) -> Response:
    return requests.options(url, headers={"Origin": origin, "Access-Control-Request-Method": method}, timeout=5)


def refusal(answer: Response) -> tuple[int, str | None]:
    """The status and Google's code for it."""
    return answer.status_code, ElementTree.fromstring(answer.text).findtext("Code")  # noqa: S314  our own server wrote it


def cors_headers(answer: Response) -> list[str]:
    return [name for name in answer.headers if name.lower().startswith("access-control-")]


def send_raw(method: str, url: str) -> int:
    """The status of a request whose path goes over the wire exactly as it stands in the URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
