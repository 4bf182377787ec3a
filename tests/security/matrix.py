"""The cells of tables and views: every relation, every column, every principal, every verb, and every lock."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg.sql import SQL, Composed, Identifier

from tests.security import probes
from tests.security.cells import Cell, Open
from tests.security.expected import COLUMNS, POLICIES, REACH, rows_of
from tests.security.principals import PRINCIPALS, SERVICE_ROLE, TABLE_OWNER, Principal
from tests.security.relations import Relation, relations
from tests.security.world import World

VERBS = ("select", "insert", "update", "delete", "truncate")
VERBS_ON_COLUMNS = ("select", "insert", "update")
VERBS_ON_ROWS = ("select", "insert", "update", "delete", "give")

Expected = dict[tuple[str, str, str], str]


def _by_principal(table: str) -> Expected:
    lines = [(row.pop("relation"), row.pop("verb"), row) for row in rows_of(table)]
    return {(name, verb, who): outcome for name, verb, row in lines for who, outcome in row.items()}


EXPECTED_REACH = _by_principal(REACH)
EXPECTED_OF_POLICIES = _by_principal(POLICIES)
NARROWED = {(row["relation"], row["verb"], row["role"]): tuple(row["columns"].split()) for row in rows_of(COLUMNS)}


def cells_of_relations(world: World) -> list[Cell]:
    """Every cell of every table and view that there is, whether it is written down or not."""
    return [cell for relation in relations(world) for cell in cells_of(relation)]


def cells_of(relation: Relation) -> Iterator[Cell]:
    """All cells of one table or view."""
    for who in PRINCIPALS.values():
        for opened in _locks_of_grants(relation) if who is not TABLE_OWNER else ():
            yield from _cells_of_grants(relation, who, opened)
        # The service role bypasses row-level security: that it holds no grant is what stops it.
        if who is not SERVICE_ROLE and not relation.is_view:
            yield from _cells_of_policies(relation, who)


def _locks_of_grants(relation: Relation) -> Iterator[Open]:
    yield Open.NONE
    if relation.is_view:
        yield Open.TABLES
    if relation.name.startswith("private."):
        yield Open.SCHEMAS


def _cells_of_grants(relation: Relation, who: Principal, opened: Open) -> Iterator[Cell]:
    for verb in VERBS:
        expected = EXPECTED_REACH.get((relation.name, verb, who.name), "denied")
        granted = () if expected == "denied" else _granted(relation, who, verb)
        yield Deed(relation, who, verb, opened, granted).cell(expected)
        for column in relation.columns if verb in VERBS_ON_COLUMNS else ():
            on_column = Deed(relation, who, verb, opened, (column,), is_of_one_column=True)
            yield on_column.cell(_expected_of_column(verb, expected) if column in granted else "denied")


def _cells_of_policies(relation: Relation, who: Principal) -> Iterator[Cell]:
    for verb in VERBS_ON_ROWS:
        if verb == "give" and "user_id" not in relation.columns:
            continue
        expected = EXPECTED_OF_POLICIES.get((relation.name, verb, who.name), "nothing")
        columns = relation.writable_columns if verb == "insert" else relation.columns[:1]
        yield Deed(relation, who, verb, Open.GRANTS, columns).cell(expected)


def _granted(relation: Relation, who: Principal, verb: str) -> tuple[str, ...]:
    return NARROWED.get((relation.name, verb, who.acts_as), relation.columns)


def _expected_of_column(verb: str, expected: str) -> str:
    """What would be inserted besides is another cell's."""
    return "may" if verb == "insert" else expected


@dataclass(frozen=True)
class Deed:
    """What a cell does."""

    relation: Relation
    who: Principal
    verb: str
    opened: Open
    columns: tuple[str, ...]
    is_of_one_column: bool = False

    def cell(self, expected: str) -> Cell:
        """The cell, with what must come of it."""
        column = self.columns[0] if self.is_of_one_column else ""
        return Cell(self.relation.name, self.who, self.verb, expected, self.outcome, column, self.opened)

    def outcome(self, world: World) -> str:
        """What comes of it."""
        for statement in self._opening():
            world.execute(statement)
        outcome = self._do(world)
        if self.relation.is_view and outcome.startswith("error"):
            return self._privilege(world)  # nobody can write to this view: no privilege is asked for
        return outcome

    def _opening(self) -> Iterator[SQL | Composed]:
        if self.opened is Open.TABLES:
            yield SQL("grant all on all tables in schema public to public")
            yield SQL("revoke all on {} from public").format(self.relation.identifier)
        if self.opened in (Open.SCHEMAS, Open.GRANTS):
            yield SQL("grant usage on schema private to public")
        if self.opened is Open.GRANTS:
            yield SQL("grant all on {} to public").format(self.relation.identifier)
        if self.who is TABLE_OWNER:
            owner = Identifier(TABLE_OWNER.login)
            yield SQL("create role {}").format(owner)
            yield SQL("alter table {} owner to {}").format(self.relation.identifier, owner)

    def _do(self, world: World) -> str:
        match self.verb:
            case "select":
                return probes.select(world, self.who, self.relation, self.columns)
            case "insert" if self.is_of_one_column:
                return probes.insert_one_value(world, self.who, self.relation, self.columns[0])
            case "insert":
                return probes.insert(world, self.who, self.relation, self.columns)
            case "update":
                return probes.update(world, self.who, self.relation, self.columns or self.relation.columns[:1])
            case "delete":
                return probes.delete(world, self.who, self.relation)
            case "truncate":
                return probes.truncate(world, self.who, self.relation)
            case _:
                return probes.give(world, self.who, self.relation)

    def _privilege(self, world: World) -> str:
        if self.is_of_one_column:
            query = SQL("select has_column_privilege({}, {}, {}, {})")
            arguments = [self.who.acts_as, self.relation.name, self.columns[0], self.verb]
        else:
            query = SQL("select has_table_privilege({}, {}, {})")
            arguments = [self.who.acts_as, self.relation.name, self.verb]
        return "may" if world.execute(query.format(*arguments)) == [(True,)] else "denied"
