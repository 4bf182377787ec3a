"""Whoever weakens the database is noticed: each policy, grant, function and role is changed, one at a time."""

from collections import defaultdict
from collections.abc import Iterable

import psycopg
import pytest
from psycopg.sql import SQL

from tests.security.access import cells_of_access, function_names
from tests.security.attacks import ATTACKS, Attack
from tests.security.cells import Cell, Open, wrong
from tests.security.matrix import cells_of_relations
from tests.security.mutants import FAMILIES, Mutant
from tests.security.world import World


class Hunt:
    """Looks for a cell or an attack that notices a mutant."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._functions = set(function_names(world))
        self._by_thing: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in [*cells_of_relations(world), *cells_of_access(world)]:
            self._by_thing[cell.thing].append(cell)

    @property
    def things(self) -> list[str]:
        """Everything that cells are about."""
        return list(self._by_thing)

    def survivors(self, mutants: Iterable[Mutant]) -> list[str]:
        """The statements that nothing notices."""
        return [mutant.statement.as_string(self.world.connection) for mutant in mutants if self.survives(mutant)]

    def survives(self, mutant: Mutant) -> bool:
        """Whether nothing notices; the cells that are about the same are asked first."""
        about = sorted(self._by_thing[mutant.thing], key=lambda cell: _distance(cell, mutant))
        with self.world.undone():
            self.world.execute(mutant.statement)
            return not (any(True for _ in wrong(self.world, about)) or self._is_attacked(mutant))

    def _is_attacked(self, mutant: Mutant) -> bool:
        return mutant.thing in self._functions and any(self._succeeds(attack) for attack in ATTACKS)

    def _succeeds(self, attack: Attack) -> bool:
        try:
            with self.world.undone():
                attack(self.world)
        except (AssertionError, pytest.fail.Exception, psycopg.Error):
            return True
        return False


@pytest.fixture(scope="module")
def hunt(world: World) -> Hunt:
    """Everything that could notice."""
    return Hunt(world)


def test_no_mutant_survives(hunt: Hunt, capsys: pytest.CaptureFixture[str]) -> None:
    counts: dict[str, int] = {}
    survivors: list[str] = []
    for family, of in FAMILIES.items():
        mutants = list(of(hunt.world))
        counts[family] = len(mutants)
        survivors += hunt.survivors(mutants)

    with capsys.disabled():
        print("\nrow-level security:", ", ".join(f"{count} of {family}" for family, count in counts.items()))
        print(f"row-level security: {sum(counts.values())} mutants, {len(survivors)} survived")
    assert survivors == []
    assert 0 not in counts.values()


def test_a_change_that_weakens_nothing_is_not_taken_for_a_mutant(hunt: Hunt) -> None:
    harmless = [Mutant(SQL("select 1"), thing) for thing in hunt.things]

    assert len(hunt.survivors(harmless)) == len(harmless)


def _distance(cell: Cell, mutant: Mutant) -> tuple[bool, ...]:
    role = cell.who.acts_as if cell.who else ""
    return (
        cell.column != mutant.column,
        cell.verb != mutant.verb,
        role != mutant.role,
        (cell.opened is Open.GRANTS) is bool(mutant.verb),
    )
