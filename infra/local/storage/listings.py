"""A page of a listing: https://cloud.google.com/storage/docs/json_api/v1/objects/list"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.storage.errors import InvalidRequest

MAX_RESULTS = 1000
UNSUPPORTED = ("matchGlob", "filter", "softDeleted")


@dataclass(frozen=True)
class ListingQuery:
    """Which names are listed; `page_token` is the last entry of the page before: `o` or `p`, and an object's name
    or a prefix."""

    prefix: str
    delimiter: str
    start_offset: str
    end_offset: str
    max_results: int
    page_token: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "ListingQuery":
        """From query parameters; raises InvalidRequest."""
        for name in UNSUPPORTED:
            if name in query:
                raise InvalidRequest(f"{name} is not supported here")
        return cls(
            query.get("prefix", ""),
            query.get("delimiter", ""),
            query.get("startOffset", ""),
            query.get("endOffset", ""),
            _max_results(query.get("maxResults", str(MAX_RESULTS))),
            _decode_token(query.get("pageToken", "")),
        )

    @property
    def start(self) -> str:
        """A name that no listed name sorts before."""
        return max(self.prefix, self.start_offset, self.page_token[1:])

    def is_past(self, name: str) -> bool:
        """Whether this name, and so every later one, is not listed."""
        return (bool(self.end_offset) and name >= self.end_offset) or not name.startswith(self.prefix)

    def entry(self, name: str) -> str:
        """The entry that this name appears under."""
        end = name.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return "o" + name if end < 0 else "p" + name[: end + len(self.delimiter)]


@dataclass
class Page:
    """Names of objects and prefixes; `next_page_token` is empty on the last page."""

    names: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_page_token: str = ""


def list_page(sorted_names: list[str], query: ListingQuery) -> Page:
    """The page, from the names that are not before `query.start`."""
    page = Page()
    last = query.page_token
    first = bisect_right(sorted_names, last[1:]) if last else 0
    for name in sorted_names[first:]:
        if query.is_past(name):
            break
        entry = query.entry(name)
        if entry == last:
            continue
        if len(page.names) + len(page.prefixes) == query.max_results:
            page.next_page_token = urlsafe_b64encode(last.encode()).decode()
            break
        (page.names if entry[0] == "o" else page.prefixes).append(entry[1:])
        last = entry
    return page


def _max_results(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise InvalidRequest(f"Invalid value for maxResults: {text}")
    return min(int(text), MAX_RESULTS)


def _decode_token(text: str) -> str:
    if not text:
        return ""
    try:
        token = urlsafe_b64decode(text).decode()
    except ValueError:
        token = ""
    if token[:1] not in {"o", "p"}:
        raise InvalidRequest("Invalid page token")
    return token
