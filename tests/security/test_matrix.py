"""Every cell of the matrix, as deployed: `expected.py` says what must come of it."""

from collections import Counter

import pytest

from tests.security.access import cells_of_access, function_names
from tests.security.cells import wrong
from tests.security.expected import COLUMNS, FUNCTIONS, POLICIES, REACH, rows_of
from tests.security.matrix import cells_of_relations
from tests.security.relations import relations
from tests.security.world import World


def test_every_cell(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [*cells_of_relations(world), *cells_of_access(world)]

    found = list(wrong(world, cells))

    with capsys.disabled():
        print(f"\nrow-level security: {len(cells)} cells, {len(found)} wrong")
    assert found == []


def test_no_cell_is_there_twice(world: World) -> None:
    cells = Counter(map(str, [*cells_of_relations(world), *cells_of_access(world)]))

    assert [cell for cell, count in cells.items() if count > 1] == []


def test_what_is_written_down_is_what_there_is(world: World) -> None:
    found = {relation.name: set(relation.columns) for relation in relations(world)}
    written = {row["relation"] for table in (REACH, POLICIES, COLUMNS) for row in rows_of(table)}

    assert written == set(found)
    assert {row["function"] for row in rows_of(FUNCTIONS)} == set(function_names(world))
    assert [row for row in rows_of(COLUMNS) if not set(row["columns"].split()) <= found[row["relation"]]] == []


def test_two_learners_have_rows_in_everything(world: World) -> None:
    has_rows = {relation.name: {row.belongs_to for row in relation.rows} for relation in relations(world)}

    assert [name for name, learners in has_rows.items() if not {"owner", "other"} <= learners] == []


def test_nobody_may_watch_or_refer_to_a_table(world: World) -> None:
    """A trigger or a foreign key of someone's would see the rows of all, whatever the policies say."""
    granted = world.execute(
        """
        select relname, grantee::regrole, privilege_type
        from pg_class
        cross join aclexplode(relacl)
        where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
          and grantee <> relowner
          and privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        """
    )

    assert granted == []
