"""Pages of a listing. Cursors are signed and bound to one listing, so that none can be forged or carried over."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from itsdangerous import BadData, URLSafeSerializer
from pydantic import TypeAdapter

from shared.config import CursorSettings
from shared.errors import ValidationFailed

Row = TypeVar("Row")
KEY = TypeAdapter(list[str])


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, and where the next page begins."""

    items: list[Row]
    next_cursor: str | None


class Pager:
    """Makes pages by keyset: a cursor holds the sort values of the last row."""

    def __init__(self, settings: CursorSettings) -> None:
        self._secret = settings.cursor_secret.get_secret_value()

    def page(
        self,
        listing: Sequence[Any],
        cursor: str | None,
        limit: int,
        fetch: Callable[[list[str] | None, int], list[Row]],
        key: Callable[[Row], Sequence[Any]],
    ) -> Page[Row]:
        """One page of the listing that `listing` names (user, what, of which, filter, sort).

        `fetch` gets the key of the row before, as texts, and how many rows at most; `key` gives a row's key. Raises
        ValidationFailed where the cursor is not one of this listing.
        """
        serializer = self._serializer(listing)
        rows = fetch(_read(serializer, cursor), limit + 1)
        if len(rows) <= limit:
            return Page(rows, None)
        return Page(rows[:limit], str(serializer.dumps([str(value) for value in key(rows[limit - 1])])))

    def _serializer(self, listing: Sequence[Any]) -> URLSafeSerializer:
        salt = json.dumps(listing, default=str)
        return URLSafeSerializer(self._secret, salt=salt, signer_kwargs={"digest_method": hashlib.sha256})


def _read(serializer: URLSafeSerializer, cursor: str | None) -> list[str] | None:
    if cursor is None:
        return None
    try:
        return KEY.validate_python(serializer.loads(cursor))
    except (BadData, ValueError):
        message = "This cursor does not belong to this listing; begin again without one."
        raise ValidationFailed.of("query.cursor", message) from None
