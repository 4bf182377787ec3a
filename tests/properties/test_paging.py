"""Paging over lists that change meanwhile: a row that was there throughout comes exactly once, in its place."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.db.database import Database as AppDatabase
from tests.database import Database
from tests.learner import Learner
from tests.properties.changing_lists import NotebookListing, NotebookSort, Order, PhraseListing, PhraseSort, Reading
from tests.system import System

ORDERS: st.SearchStrategy[Order] = st.sampled_from(["asc", "desc"])
NOTEBOOK_SORTS: st.SearchStrategy[NotebookSort] = st.sampled_from(["updated_at", "created_at", "name"])
PHRASE_SORTS: st.SearchStrategy[PhraseSort] = st.sampled_from(["position", "created_at"])

NOTEBOOKS = 250
WAIT_SECONDS = 10


class TestInterleaved:
    """Changes that come between two pages, of every kind and in every order."""

    @settings(max_examples=50)
    @given(data=st.data(), sort=NOTEBOOK_SORTS, order=ORDERS)
    def test_notebooks_that_were_there_throughout_come_once(
        self,
        module_database: Database,
        app_database: AppDatabase,
        data: st.DataObject,
        sort: NotebookSort,
        order: Order,
    ) -> None:
        check(Reading(data, NotebookListing(data, module_database, app_database, sort, order)))

    @settings(max_examples=50)
    @given(data=st.data(), sort=PHRASE_SORTS, order=ORDERS)
    def test_phrases_that_were_there_throughout_come_once(
        self, module_database: Database, app_database: AppDatabase, data: st.DataObject, sort: PhraseSort, order: Order
    ) -> None:
        check(Reading(data, PhraseListing(data, module_database, app_database, sort, order)))


def check(reading: Reading) -> None:
    """Read a list while it changes, and compare with what it is in the end."""
    shown = reading.rows()
    expected = [row for row in reading.rows_after_all() if row in reading.throughout]
    assert [row for row in shown if row in reading.throughout] == expected
    if reading.listing.is_stable:
        assert len(shown) == len(set(shown))


class TestAtOnce:
    """Changes that another client makes over the wire, at any moment."""

    @pytest.mark.parametrize(
        ("sort", "order"), [("updated_at", "desc"), ("created_at", "asc"), ("name", "asc"), ("name", "desc")]
    )
    def test_250_notebooks_come_once_while_another_client_adds_and_deletes(
        self, system: System, learner: Learner, sort: str, order: str
    ) -> None:
        names = [f"Notebook {number:03}" for number in range(NOTEBOOKS)]
        ids = add_notebooks(system, learner, names)
        deleted, added = names[::10], [f"{name} and a half" for name in names[5::10]]
        changes = list(zip(added, [ids[name] for name in deleted], strict=True))
        with ThreadPoolExecutor(1) as pool:
            one_made = Semaphore(0)
            other_client = pool.submit(add_and_delete, learner, changes, one_made)
            shown = read_by_page(learner, f"sort={sort}&order={order}", one_made)
            other_client.result()
        kept = [name for name in names if name not in deleted]
        assert [name for name in shown if name in kept] == (kept if order == "asc" else kept[::-1])
        assert len(shown) == len(set(shown))


def add_notebooks(system: System, learner: Learner, names: Sequence[str]) -> dict[str, UUID]:
    """The ids by name of new notebooks, each a second younger than the one before."""
    rows = system.database.fetch(
        """
        insert into public.notebooks (user_id, name, created_at, updated_at)
        select %(user)s, names.name, moments.moment, moments.moment
        from unnest(%(names)s::text[]) with ordinality as names (name, number)
        cross join lateral (select now() - interval '1 hour' + number * interval '1 second') as moments (moment)
        returning id, name
        """,
        {"user": learner.id, "names": list(names)},
    )
    return {row["name"]: row["id"] for row in rows}


def add_and_delete(learner: Learner, changes: Sequence[tuple[str, UUID]], one_made: Semaphore) -> None:
    """Add a notebook and delete another, again and again; tells of every change."""
    for name, notebook_id in changes:
        learner.expect(201, learner.call("POST", "/notebooks", {"name": name}))
        one_made.release()
        learner.expect(204, learner.call("DELETE", f"/notebooks/{notebook_id}"))
        one_made.release()


def read_by_page(learner: Learner, order: str, one_made: Semaphore) -> list[str]:
    """The names on all pages; before each of them something changes."""
    shown: list[str] = []
    cursor = ""
    while True:
        assert one_made.acquire(timeout=WAIT_SECONDS), "the other client has stopped"
        page = learner.get(f"/notebooks?limit=10&{order}{cursor}")
        shown += [notebook["name"] for notebook in page["items"]]
        if page["next_cursor"] is None:
            return shown
        cursor = f"&cursor={page['next_cursor']}"
