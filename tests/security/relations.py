"""Tables and views as they are found in the catalog, and what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier

from tests.security.world import World

COLUMNS: LiteralString = """
    select
      nspname || '.' || relname,
      relkind = 'v',
      array_agg(attname::text order by attnum),
      coalesce(array_agg(attname::text order by attnum) filter (where attgenerated <> ''), '{}')
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where nspname in ('public', 'private')
      and relkind in ('r', 'p', 'v', 'm', 'f')
    group by nspname, relname, relkind
    order by 1
"""


@dataclass(frozen=True)
class Row:
    """A row, who it belongs to, and where it is: a place that every update changes."""

    place: str
    belongs_to: str
    values: dict[str, str | None]


@dataclass(frozen=True)
class Relation:
    """A table or a view, with the rows that it had at first."""

    name: str
    is_view: bool
    columns: tuple[str, ...]
    generated: frozenset[str]
    rows: tuple[Row, ...] = ()

    @property
    def identifier(self) -> Composable:
        return Identifier(*self.name.split("."))

    @property
    def writable_columns(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns if column not in self.generated)


def relations(world: World) -> Iterator[Relation]:
    """Every table and view of ours."""
    for name, is_view, columns, generated in world.execute(COLUMNS):
        relation = Relation(name, is_view, tuple(columns), frozenset(generated))
        yield Relation(name, is_view, relation.columns, relation.generated, tuple(read(world, relation)))


def read(world: World, relation: Relation) -> list[Row]:
    """The rows that there are now; a view has no places."""
    place = SQL("''") if relation.is_view else SQL("t.ctid::text")
    columns = as_text(relation.columns)
    found = world.execute(SQL("select {}, t::text, {} from {} t").format(place, columns, relation.identifier))
    return [Row(at, _owner(world, row), dict(zip(relation.columns, values, strict=True))) for at, row, *values in found]


def as_text(columns: Sequence[str]) -> Composable:
    """The columns of a select, each as text."""
    return SQL(", ").join(SQL("{}::text").format(Identifier(column)) for column in columns)


def _owner(world: World, row: str) -> str:
    """Whose row it is: whoever's user id is in it, else whoever else's id."""
    users = [name for name, learner in world.learners.items() if str(learner.user) in row]
    owners = users or [name for name, learner in world.learners.items() if learner.is_in(row)]
    return " and ".join(owners)
