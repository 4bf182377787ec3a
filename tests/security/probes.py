"""Does one thing as someone, and tells what came of it, in the words of `expected.py`."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import psycopg
from psycopg.abc import QueryNoTemplate
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from tests.security.principals import Principal
from tests.security.relations import Relation, Row, as_text, read
from tests.security.world import World

P = ParamSpec("P")


def reason(error: psycopg.Error) -> str:
    """Why a statement was refused, in one word where there is one."""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "nothing" if "row-level security" in str(error) else "denied"
    if isinstance(error, psycopg.errors.IntegrityError):
        return "refused"
    return f"error {error.sqlstate}: {error.diag.message_primary}"


def in_words(probe: Callable[P, str]) -> Callable[P, str]:
    """The probe, for which an error of the database is an outcome too."""

    @wraps(probe)
    def probe_in_words(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return probe(*args, **kwargs)
        except psycopg.Error as error:
            return reason(error)

    return probe_in_words


@in_words
def done(world: World, who: Principal, statement: QueryNoTemplate) -> str:
    """`may`, if the statement is not refused."""
    world.call(who, statement)
    return "may"


@in_words
def select(world: World, who: Principal, relation: Relation, columns: Sequence[str]) -> str:
    """Whose values of these columns are seen; with no columns, whether there is a row that may be counted."""
    listed = as_text(columns) if columns else SQL("1")
    seen = world.call(who, SQL("select {} from {}").format(listed, relation.identifier))
    values = [(row, tuple(row.values[column] for column in columns) if columns else (1,)) for row in relation.rows]
    own = Counter(value for row, value in values if row.belongs_to == who.claims_of)
    return _whose(Counter(seen), own, Counter(value for _, value in values))


def update(world: World, who: Principal, relation: Relation, columns: Sequence[str]) -> str:
    """Whose rows are reached, also if the old row is not read, which would take the right to see it too."""
    with world.undone():
        blindly = _update(world, who, relation, {column: SQL("default") for column in columns})
    if blindly in ("denied", "nothing"):
        return blindly
    reached = _update(world, who, relation, {column: Identifier(column) for column in columns})
    return f"{reached}, yet blindly {blindly}" if reached in ("denied", "nothing") else reached


@in_words
def delete(world: World, who: Principal, relation: Relation) -> str:
    """Whose rows are reached."""
    return _reached(world, who, relation, SQL("delete from {}").format(relation.identifier))


def truncate(world: World, who: Principal, relation: Relation) -> str:
    """Only that table, so that no other's privileges count."""
    return done(world, who, SQL("truncate {}").format(relation.identifier))


def give(world: World, who: Principal, relation: Relation) -> str:
    """Whose rows come to belong to the stranger."""
    stranger = Literal(str(world.learners["stranger"].user))
    return _update(world, who, relation, {"user_id": stranger})


@in_words
def insert(world: World, who: Principal, relation: Relation, columns: Sequence[str]) -> str:
    """Whose row comes into being, from what is in these columns of a row of the owner's."""
    model = next((row for row in relation.rows if row.belongs_to == "owner"), None)
    if model is None:
        return "no row of the owner's to try it with"
    rest = [row for row in relation.rows if row is not model]
    if not relation.is_view:
        _take_away(world, relation, model)
    world.call(who, _insert(relation, {column: Literal(model.values[column]) for column in columns}))
    added = {row.belongs_to for row in _others(read(world, relation), rest)}
    added = {row.belongs_to for row in _others(read(world, relation), rest)}
    return "own" if added == {who.claims_of} else f"a row of {added}"


def insert_one_value(world: World, who: Principal, relation: Relation, column: str) -> str:
    """`may` if the column may be named at all, whether or not such a row would do."""
    outcome = done(world, who, _insert(relation, {column: SQL("default")}))
    return "may" if outcome in ("refused", "nothing") else outcome


@in_words
def _update(world: World, who: Principal, relation: Relation, values: Mapping[str, Composable]) -> str:
    assignments = [SQL("{} = {}").format(Identifier(column), value) for column, value in values.items()]
    statement = SQL("update {} set {}").format(relation.identifier, SQL(", ").join(assignments))
    return _reached(world, who, relation, statement)


def _insert(relation: Relation, values: Mapping[str, Composable]) -> Composed:
    if not values:
        return SQL("insert into {} default values").format(relation.identifier)
    return SQL("insert into {} ({}) values ({})").format(
        relation.identifier, SQL(", ").join(map(Identifier, values)), SQL(", ").join(values.values())
    )


def _reached(world: World, who: Principal, relation: Relation, statement: Composed) -> str:
    """Whose rows are no longer where they were."""
    world.call(who, statement)
    gone = Counter(row.place for row in _others(relation.rows, read(world, relation)))
    own = Counter(row.place for row in relation.rows if row.belongs_to == who.claims_of)
    return _whose(gone, own, Counter(row.place for row in relation.rows))


def _take_away(world: World, relation: Relation, row: Row) -> None:
    """Delete a row, and nothing that hangs on it."""
    world.execute("set local session_replication_role = replica")
    world.execute(SQL("delete from {} where ctid = {}").format(relation.identifier, Literal(row.place)))
    world.execute("set local session_replication_role = origin")


def _others(rows: Iterable[Row], known: Iterable[Row]) -> list[Row]:
    places = {row.place for row in known}
    return [row for row in rows if row.place not in places]


def _whose(reached: Counter[Any], own: Counter[Any], everything: Counter[Any]) -> str:
    if not reached:
        return "nothing"
    if reached == everything:
        return "all"
    return "own" if reached == own else f"{reached.total()} of {everything.total()} rows"
