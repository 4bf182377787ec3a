"""Cursors that somebody made up, changed or carried over: refused, never a crash, never another page."""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.config import CursorSettings
from shared.errors import ValidationFailed
from shared.services.paging import Page, Pager
from tests.properties.texts import PYTHON_TEXTS

PAGER = Pager(CursorSettings(cursor_secret=SecretStr("a secret of cursors")))
LISTING = (UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11"), "notebooks", "name", "asc", None)
ROWS = range(0, 100, 3)

LISTINGS = st.lists(st.sampled_from([None, "None", "", "a", "b", "a/b", "/", '"', '","']), max_size=3)


def page(cursor: str | None, listing: Sequence[Any] = LISTING) -> Page[int]:
    """Three rows from behind the cursor."""
    return PAGER.page(
        listing,
        cursor,
        3,
        lambda after, limit: [row for row in ROWS if after is None or row > int(after[0])][:limit],
        lambda row: [row],
    )


def cursor_of(listing: Sequence[Any] = LISTING) -> str:
    """The cursor of the second page."""
    cursor = page(None, listing).next_cursor
    assert cursor is not None
    return cursor


def is_refused(cursor: str, listing: Sequence[Any] = LISTING) -> bool:
    """Whether it is answered with a validation error."""
    try:
        page(cursor, listing)
    except ValidationFailed:
        return True
    return False


@given(st.one_of(PYTHON_TEXTS, st.text(alphabet="abcABC012-_.=", max_size=120)))
def test_a_cursor_that_was_made_up_is_refused(cursor: str) -> None:
    assert is_refused(cursor)


@given(st.binary(max_size=60), st.binary(min_size=32, max_size=32))
def test_a_cursor_of_the_right_form_under_a_signature_that_was_made_up_is_refused(key: bytes, digest: bytes) -> None:
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (key, digest)]
    assert is_refused(".".join(encoded))


@given(st.data())
def test_a_cursor_that_was_changed_is_refused_or_says_the_same(data: st.DataObject) -> None:
    cursor = cursor_of()
    start = data.draw(st.integers(0, len(cursor)))
    stop = data.draw(st.integers(start, min(len(cursor), start + 4)))
    changed = cursor[:start] + data.draw(PYTHON_TEXTS) + cursor[stop:]
    assume(changed != cursor)
    assert is_refused(changed) or page(changed) == page(cursor)  # some bits of base64's last letter mean nothing


@given(LISTINGS, LISTINGS)
@example([None], ["None"])
@example(["a/b"], ["a", "b"])
@example(['a","b'], ["a", "b"])
def test_a_cursor_belongs_to_one_listing(listing: Sequence[str | None], other: Sequence[str | None]) -> None:
    assume(listing != other)
    assert not is_refused(cursor_of(listing), listing)
    assert is_refused(cursor_of(listing), other)
