"""A cell of the matrix: one thing done by one principal, with what must come of it.

Three locks are in the way of a row: the schema, the grants and the policies. Each is tried with those before it open,
so that one which is broken is found even where another still holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tests.security.principals import Principal
from tests.security.world import World


class Open(StrEnum):
    """Which locks are open."""

    NONE = "as deployed"
    SCHEMAS = "with every schema open"
    TABLES = "with every table behind it open"
    GRANTS = "with every privilege granted"


@dataclass(frozen=True)
class Cell:
    """Something done by someone, what must come of it, and how to find out; or a fact about a thing, done by nobody."""

    thing: str
    who: Principal | None
    verb: str
    expected: str
    probe: Callable[[World], str] = field(compare=False, repr=False)
    column: str = ""
    opened: Open = Open.NONE

    def __str__(self) -> str:
        column = f" ({self.column})" if self.column else ""
        return f"{self.who.name if self.who else 'the database'}: {self.verb}{column} {self.thing}, {self.opened}"

    def outcome(self, world: World) -> str:
        """What comes of it now; nothing of it stays."""
        with world.undone():
            return self.probe(world)


def wrong(world: World, cells: Iterable[Cell]) -> Iterator[str]:
    """Each cell whose outcome is another than was expected."""
    for cell in cells:
        outcome = cell.outcome(world)
        if outcome != cell.expected:
            yield f"{cell}: {outcome}, not {cell.expected}"
