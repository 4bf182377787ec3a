"""Signed URLs of any object at any time."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from shared.clients.url_signer import UrlSigner
from shared.config import UrlSigningSettings
from tests.properties.texts import TEXTS
from tests.v4_signing import HmacKey

GOOGLE = HmacKey("GOOG1EEXAMPLE", "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ")
STORAGE_URL, BUCKET = "https://storage.googleapis.com", "audio-loop"
NAMES = TEXTS.filter(bool)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  hypothesis adds the time zones
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
WINDOWS = st.integers(1, 300)


def signer(window_seconds: int = 300) -> UrlSigner:
    known = {
        "audio_bucket": BUCKET,
        "signer_access_id": GOOGLE.access_id,
        "signer_secret": GOOGLE.secret,
        "storage_url": STORAGE_URL,
    }
    return UrlSigner(UrlSigningSettings.model_validate({**known, "signing_window_seconds": window_seconds}))


@given(st.lists(NAMES, max_size=3), MOMENTS, WINDOWS)
def test_urls_are_those_that_googles_library_signs(names: list[str], at: datetime, window_seconds: int) -> None:
    signed = signer(window_seconds).sign(names, at)
    lifetime = timedelta(seconds=2 * window_seconds)
    start = signed.expires_at - lifetime
    assert signed.urls == [GOOGLE.sign(STORAGE_URL, BUCKET, name, start, lifetime=lifetime) for name in names]


@given(NAMES, MOMENTS)
def test_a_url_names_its_object_and_no_other(name: str, at: datetime) -> None:
    [url] = signer().sign([name], at).urls
    assert url.isascii()
    assert unquote(urlsplit(url).path) == f"/{BUCKET}/{name}"


@given(NAMES, MOMENTS, st.timedeltas(timedelta(0), timedelta(minutes=10)), WINDOWS)
def test_two_moments_have_one_url_if_they_are_in_one_window(
    name: str, at: datetime, between: timedelta, window_seconds: int
) -> None:
    ours, later = signer(window_seconds), at + between
    windows = [int(moment.timestamp()) // window_seconds for moment in (at, later)]
    assert (ours.sign([name], at) == ours.sign([name], later)) == (windows[0] == windows[1])


@given(NAMES, MOMENTS, WINDOWS)
def test_a_url_works_for_one_to_two_windows(name: str, at: datetime, window_seconds: int) -> None:
    left = signer(window_seconds).sign([name], at).expires_at - at.astimezone(UTC)
    assert timedelta(seconds=window_seconds) < left <= timedelta(seconds=2 * window_seconds)
