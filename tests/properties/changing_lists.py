"""Lists in the database whose rows come, go and move while a learner reads them page by page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import randbits
from typing import Any, Literal, LiteralString, Protocol
from uuid import UUID

from hypothesis import strategies as st
from pydantic import SecretStr

from shared.auth import User
from shared.config import CursorSettings
from shared.db.database import Database as AppDatabase
from shared.dto.notebooks import NotebookQuery
from shared.dto.phrases import PhraseQuery
from shared.services.notebooks import Notebooks
from shared.services.paging import Pager
from shared.services.phrases import Phrases
from tests.database import Database

Order = Literal["asc", "desc"]
NotebookSort = Literal["updated_at", "created_at", "name"]
PhraseSort = Literal["position", "created_at"]
Found = tuple[list[UUID], str | None]

PAGER = Pager(CursorSettings(cursor_secret=SecretStr("a secret of cursors")))
MAX_ROWS_BEFORE, MAX_CHANGES = 20, 30
CHANGES = ["add", "delete", "delete the last one shown", "move"]

# Few moments, a microsecond apart, so that many rows share one.
NOON = datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda number: NOON + timedelta(microseconds=number))
NAMES = st.text(alphabet="aAżŻ_-1", min_size=1, max_size=3)
POSITIONS = st.integers(-20, 80)


class Listing(Protocol):
    """A list of one learner, and what may happen to it."""

    @property
    def is_stable(self) -> bool:
        """Whether a row that is moved keeps its place in this order."""

    def page(self, cursor: str | None, limit: int) -> Found:
        """The ids of the next rows, and the cursor behind them."""

    def add(self) -> UUID | None:
        """A new row; None where there is one like it."""

    def delete(self, row: UUID) -> None:
        """Delete a row."""

    def move(self, row: UUID) -> None:
        """Change what a row is sorted by, in this order or another."""


@dataclass
class Reading:
    """A list that is read page by page while it changes."""

    data: st.DataObject
    listing: Listing
    present: list[UUID] = field(default_factory=list)
    throughout: set[UUID] = field(default_factory=set)
    """Rows that were there at the beginning, and that nobody has deleted or moved since."""
    changes: int = 0

    def rows(self) -> list[UUID]:
        """Every row that the pages show."""
        for _ in range(self.data.draw(st.integers(0, MAX_ROWS_BEFORE), "rows before")):
            self._add()
        self.throughout = set(self.present)
        limit = self.data.draw(st.integers(1, 7), "limit")
        shown, cursor = self.listing.page(None, limit)
        while cursor:
            assert len(shown) % limit == 0, "a page that is not the last one is full"
            self._change_some(shown)
            rows, cursor = self.listing.page(cursor, limit)
            shown += rows
        return shown

    def rows_after_all(self) -> list[UUID]:
        """Every row, once nothing changes any more."""
        rows, cursor = self.listing.page(None, 100)
        assert cursor is None
        return rows

    def _change_some(self, shown: Sequence[UUID]) -> None:
        for change in self.data.draw(st.lists(st.sampled_from(CHANGES), max_size=4), "changes"):
            if self.changes == MAX_CHANGES:
                return
            self.changes += 1
            self._change(change, shown)

    def _change(self, change: str, shown: Sequence[UUID]) -> None:
        if change == "add" or not self.present:
            self._add()
            return
        row = self.data.draw(st.sampled_from(self.present), "row")
        if change == "move":
            self.listing.move(row)
            self.throughout -= set() if self.listing.is_stable else {row}
        else:
            self._delete(shown[-1] if change == "delete the last one shown" and shown[-1] in self.present else row)

    def _add(self) -> None:
        row = self.listing.add()
        self.present += [row] if row else []

    def _delete(self, row: UUID) -> None:
        self.listing.delete(row)
        self.present.remove(row)
        self.throughout.discard(row)


class Ids:
    """Ids that no row has had. Their order is drawn, like all else that decides what comes on which page."""

    def __init__(self, data: st.DataObject) -> None:
        self._data, self._suffix = data, randbits(64)
        self._drawn: set[int] = set()

    def draw(self) -> UUID:
        number = self._data.draw(st.integers(0, 2**64 - 1).filter(lambda number: number not in self._drawn), "id")
        self._drawn.add(number)
        return UUID(int=number << 64 | self._suffix)


class NotebookListing:
    """The notebooks of a new learner."""

    def __init__(
        self, data: st.DataObject, database: Database, app_database: AppDatabase, sort: NotebookSort, order: Order
    ) -> None:
        self._data, self._ids, self._database = data, Ids(data), database
        self._service = Notebooks(app_database, PAGER)
        self._sort, self._order = sort, order
        self._user = User(database.create_user())
        self._renamed = 0

    @property
    def is_stable(self) -> bool:
        return self._sort == "created_at"

    def page(self, cursor: str | None, limit: int) -> Found:
        query = NotebookQuery(sort=self._sort, order=self._order, limit=limit, cursor=cursor)
        page = self._service.page(self._user, query)
        return [notebook.id for notebook in page.items], page.next_cursor

    def add(self) -> UUID | None:
        statement: LiteralString = """
            insert into public.notebooks (id, user_id, name, created_at, updated_at)
            values (%s, %s, %s, %s, %s)
            on conflict do nothing
            returning id
        """
        name, created_at, updated_at = (self._data.draw(values) for values in (NAMES, MOMENTS, MOMENTS))
        row = self._ids.draw()
        return first_id(self._database.fetch(statement, [row, self._user.id, name, created_at, updated_at]))

    def delete(self, row: UUID) -> None:
        self._database.execute("delete from public.notebooks where id = %s", [row])

    def move(self, row: UUID) -> None:
        """Rename it, which makes it the one that was updated last."""
        self._renamed += 1
        name = f"{self._data.draw(NAMES)} {self._renamed}"
        self._database.execute("update public.notebooks set name = %s where id = %s", [name, row])


class PhraseListing:
    """The phrases of a new notebook."""

    def __init__(
        self, data: st.DataObject, database: Database, app_database: AppDatabase, sort: PhraseSort, order: Order
    ) -> None:
        self._data, self._ids, self._database = data, Ids(data), database
        self._service = Phrases(app_database, PAGER)
        self._sort, self._order = sort, order
        self._user = User(database.create_user())
        statement: LiteralString = "insert into public.notebooks (user_id, name) values (%s, 'Notebook') returning id"
        self._notebook_id: UUID = database.fetch(statement, [self._user.id])[0]["id"]

    @property
    def is_stable(self) -> bool:
        return self._sort == "created_at"

    def page(self, cursor: str | None, limit: int) -> Found:
        query = PhraseQuery(sort=self._sort, order=self._order, limit=limit, cursor=cursor)
        page = self._service.page(self._user, self._notebook_id, query)
        return [phrase.id for phrase in page.items], page.next_cursor

    def add(self) -> UUID | None:
        statement: LiteralString = """
            insert into public.phrases (id, user_id, notebook_id, position, created_at, en_text, pl_text)
            select %(row)s, %(user_id)s, %(notebook_id)s, %(position)s, %(created_at)s, 'Hello.', 'Cześć.'
            where not exists (
              select from public.phrases where notebook_id = %(notebook_id)s and position = %(position)s
            )
            returning id
        """
        row, created_at = self._ids.draw(), self._data.draw(MOMENTS)
        return first_id(self._database.fetch(statement, self._params(row=row, created_at=created_at)))

    def delete(self, row: UUID) -> None:
        self._database.execute("delete from public.phrases where id = %s", [row])

    def move(self, row: UUID) -> None:
        """Give it another position, unless that one is taken."""
        statement: LiteralString = """
            update public.phrases
            set position = %(position)s
            where id = %(row)s
              and not exists (
                select from public.phrases where notebook_id = %(notebook_id)s and position = %(position)s
              )
        """
        self._database.execute(statement, self._params(row=row))

    def _params(self, **others: Any) -> dict[str, Any]:
        position = self._data.draw(POSITIONS)
        return {"user_id": self._user.id, "notebook_id": self._notebook_id, "position": position, **others}


def first_id(rows: Sequence[dict[str, Any]]) -> UUID | None:
    """The id of the row that an insert has returned, if it has."""
    return rows[0]["id"] if rows else None
