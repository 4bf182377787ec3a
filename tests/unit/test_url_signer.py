"""The signer against Google's own canonicalisation, and what its windows promise."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.clients.url_signer import UrlSigner
from shared.config import UrlSigningSettings
from tests.v4_signing import HmacKey

ACCESS_ID = "GOOG1EEXAMPLE/+@ID"
SECRET = "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ"
BUCKET = "audio-loop"
GOOGLE = HmacKey(ACCESS_ID, SECRET)
AT = datetime(2026, 1, 31, 8, 2, 3, tzinfo=UTC)
WINDOW_START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=300)
NAMES = [
    "audio/5d3c/81aa/EN1.mp3",
    "a b+c&d=e?f#g%h",
    "żółć/„cudzysłów”/日本語/🎧.mp3",
    "~tilde-._/!'()*,:;@[]$",
    "/leading//double/",
    '"<>\\^`{|}\u00a0',
]


def make_signer(**settings: object) -> UrlSigner:
    known = {"audio_bucket": BUCKET, "signer_access_id": ACCESS_ID, "signer_secret": SECRET}
    return UrlSigner(UrlSigningSettings.model_validate(known | settings))


def parameters(url: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


@pytest.mark.parametrize("storage_url", ["https://storage.googleapis.com", "http://127.0.0.1:40123"])
@pytest.mark.parametrize("name", NAMES)
def test_a_url_is_the_one_that_googles_library_signs(storage_url: str, name: str) -> None:
    [url] = make_signer(storage_url=storage_url).sign([name], AT).urls
    assert url == GOOGLE.sign(storage_url, BUCKET, name, WINDOW_START, lifetime=2 * WINDOW)


def test_a_url_is_the_one_that_botocore_signs() -> None:
    """Taken from botocore's S3SigV4QueryAuth with its labels AWS4, aws4_request and X-Amz turned into Google's."""
    [url] = make_signer(signer_access_id="GOOG1EEXAMPLE").sign(["audio/EN1.mp3"], AT).urls
    assert url == (
        "https://storage.googleapis.com/audio-loop/audio/EN1.mp3?X-Goog-Algorithm=GOOG4-HMAC-SHA256"
        "&X-Goog-Credential=GOOG1EEXAMPLE%2F20260131%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260131T080000Z"
        "&X-Goog-Expires=600&X-Goog-SignedHeaders=host"
        "&X-Goog-Signature=98358e453d37b5e4132d09aa4dbdfbe11a2612e007b64d6e9a98c0d179faf24d"
    )


def test_urls_come_in_the_order_of_the_names() -> None:
    urls = make_signer().sign(["b", "a", "b"], AT).urls
    assert [urlsplit(url).path for url in urls] == ["/audio-loop/b", "/audio-loop/a", "/audio-loop/b"]


def test_no_names_give_no_urls() -> None:
    assert make_signer().sign([], AT).urls == []


@pytest.mark.parametrize("seconds", [0, 1, 150, 299, 299.999999])
def test_within_a_window_the_same_names_give_the_same_urls(seconds: float) -> None:
    signer, start = make_signer(), WINDOW_START
    assert signer.sign(NAMES, start + timedelta(seconds=seconds)) == signer.sign(NAMES, start)


def test_the_next_window_gives_other_urls() -> None:
    signer, start = make_signer(), WINDOW_START
    assert signer.sign(["a"], start + WINDOW).urls != signer.sign(["a"], start).urls


def test_another_signer_with_the_same_settings_gives_the_same_urls() -> None:
    assert make_signer().sign(NAMES, AT) == make_signer().sign(NAMES, AT)


@pytest.mark.parametrize("window_seconds", [1, 7, 60, 300])
@pytest.mark.parametrize("offset_seconds", [0, 0.5, 1, 59.9, 299, 300, 4321.1, 86399])
def test_a_url_lives_between_one_and_two_windows(window_seconds: int, offset_seconds: float) -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=offset_seconds)
    left = make_signer(signing_window_seconds=window_seconds).sign(["a"], at).expires_at - at
    assert timedelta(seconds=window_seconds) < left <= timedelta(seconds=2 * window_seconds)


def test_the_expiry_is_the_one_in_the_url() -> None:
    signed = make_signer().sign(["a"], AT)
    query = parameters(signed.urls[0])
    start = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert signed.expires_at == start + timedelta(seconds=int(query["X-Goog-Expires"]))


def test_the_time_zone_of_the_clock_does_not_matter() -> None:
    signer = make_signer()
    elsewhere = AT.astimezone(timezone(timedelta(hours=-11)))
    assert signer.sign(["a"], elsewhere) == signer.sign(["a"], AT)
    assert signer.sign(["a"], elsewhere).expires_at.tzinfo is UTC


def test_the_key_of_one_day_does_not_sign_the_next() -> None:
    signer, next_day = make_signer(), timedelta(days=1)
    signer.sign(["a"], AT)
    [url] = signer.sign(["a"], AT + next_day).urls
    assert url == GOOGLE.sign(
        "https://storage.googleapis.com", BUCKET, "a", WINDOW_START + next_day, lifetime=2 * WINDOW
    )


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        make_signer().sign(["a"], AT.replace(tzinfo=None))


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        make_signer().sign(["a", ""], AT)


def test_the_secret_shows_in_nothing() -> None:
    signer = make_signer()
    assert SECRET not in repr(signer) + str(signer.sign(["a"], AT))
