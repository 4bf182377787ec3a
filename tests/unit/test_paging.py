"""Pages of a listing: every row once, and cursors that nobody can forge or carry over."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from shared.config import CursorSettings
from shared.errors import ValidationFailed
from shared.services.paging import Page, Pager

USER = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11")
NOTEBOOK = uuid4()
LISTING = (USER, "phrases", NOTEBOOK, "position", "asc")
SECRET = "a secret of cursors"


def pager(secret: str = SECRET) -> Pager:
    return Pager(CursorSettings(cursor_secret=SecretStr(secret)))


def table(rows: Sequence[int]) -> Callable[[list[str] | None, int], list[int]]:
    """Fetches rows in order from behind a key, as the database does."""

    def fetch(after: list[str] | None, limit: int) -> list[int]:
        return [row for row in sorted(rows) if after is None or row > int(after[0])][:limit]

    return fetch


def page(
    cursor: str | None,
    rows: Sequence[int] = range(10),
    listing: Sequence[Any] = LISTING,
    limit: int = 3,
    secret: str = SECRET,
) -> Page[int]:
    return pager(secret).page(listing, cursor, limit, table(rows), lambda row: [row, USER])


def cursor_of(listing: Sequence[Any] = LISTING) -> str:
    """The cursor of the second page."""
    cursor = page(None, listing=listing).next_cursor
    assert cursor is not None
    return cursor


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_pages_hold_every_row_once_in_order(count: int, pages: int) -> None:
    seen, cursor = [], None
    for number in range(1, pages + 1):
        answer = page(cursor, range(count))
        seen += answer.items
        cursor = answer.next_cursor
        assert (cursor is None) == (number == pages)
    assert seen == list(range(count))


def test_one_row_more_than_the_limit_is_fetched_to_know_whether_there_is_another_page() -> None:
    limits = []

    def fetch(_: list[str] | None, limit: int) -> list[int]:
        limits.append(limit)
        return []

    pager().page(LISTING, None, 25, fetch, lambda row: [row])
    assert limits == [26]


def test_a_page_begins_behind_the_last_row_of_the_one_before_whatever_came_and_went() -> None:
    assert page(cursor_of(), rows=[-1, 0, 1, 3, 5]).items == [3, 5]


def test_a_key_comes_back_as_texts() -> None:
    keys = []

    def fetch(after: list[str] | None, _: int) -> list[int]:
        keys.append(after)
        return [1, 2]

    cursor = pager().page(LISTING, None, 1, fetch, lambda row: [row, USER]).next_cursor
    pager().page(LISTING, cursor, 1, fetch, lambda row: [row, USER])
    assert keys == [None, ["1", str(USER)]]


def test_a_cursor_can_be_used_again() -> None:
    cursor = cursor_of()
    assert page(cursor) == page(cursor)


def test_a_cursor_is_safe_in_a_url() -> None:
    assert cursor_of().replace("-", "").replace("_", "").replace(".", "").isalnum()


def is_refused(cursor: Any, listing: Sequence[Any] = LISTING) -> bool:
    """Whether this cursor is answered with 400, naming it."""
    with pytest.raises(ValidationFailed) as refusal:
        page(cursor, listing=listing)
    return [field["path"] for field in refusal.value.details["fields"]] == ["query.cursor"]


@pytest.mark.parametrize(
    "listing",
    [
        (uuid4(), *LISTING[1:]),
        (USER, "jobs", NOTEBOOK, "position", "asc"),
        (USER, "phrases", uuid4(), "position", "asc"),
        (USER, "phrases", NOTEBOOK, "created_at", "asc"),
        (USER, "phrases", NOTEBOOK, "position", "desc"),
        (USER, "phrases", NOTEBOOK, "position", None),
        (USER, "phrases", NOTEBOOK, "position"),
    ],
    ids=["user", "what", "of which", "sort", "order", "filter", "shorter"],
)
def test_a_cursor_of_another_listing_is_refused(listing: Sequence[Any]) -> None:
    assert is_refused(cursor_of(listing))


def test_a_cursor_under_another_secret_is_refused() -> None:
    cursor = page(None, secret="another secret of cursors").next_cursor
    assert is_refused(cursor)


def test_a_cursor_that_was_tampered_with_is_refused() -> None:
    cursor = cursor_of()
    for position, letter in enumerate(cursor[:-1]):  # the last letter of base64 holds bits that do not count
        tampered = cursor[:position] + ("A" if letter != "A" else "B") + cursor[position + 1 :]
        assert is_refused(tampered)


@pytest.mark.parametrize(
    "cursor",
    ["", ".", "..", "nonsense", "10", "WyIxMCJd", "WyIxMCJd.", ".WyIxMCJd.x", "é", "\ud800", "\x00", "%00", "a" * 1000],
    ids=lambda cursor: ascii(cursor)[:20],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    assert is_refused(cursor)


@pytest.mark.parametrize("content", [None, 7, "text", {"a": "b"}, [7], [None], [["1"]]], ids=repr)
def test_a_cursor_that_holds_anything_but_texts_is_refused(content: Any) -> None:
    serializer = pager()._serializer(LISTING)
    assert page(str(serializer.dumps(["4"]))).items == [5, 6, 7]
    assert is_refused(str(serializer.dumps(content)))
