"""The cells of all that is not a row: functions, schemas, roles, and tables that are yet to be made."""

from collections.abc import Callable, Iterator
from typing import LiteralString

from psycopg.sql import SQL, Composable, Composed, Identifier

from tests.security import probes
from tests.security.cells import Cell, Open
from tests.security.expected import FUNCTIONS, ROLES, SCHEMAS, SEARCH_PATH, rows_of
from tests.security.principals import PRINCIPALS, TABLE_OWNER, Principal
from tests.security.world import World

DEPLOYED = [who for who in PRINCIPALS.values() if who is not TABLE_OWNER]

NAMED_FUNCTIONS: LiteralString = """
    select format(
      '%s.%s(%s)',
      nspname,
      proname,
      replace(replace(oidvectortypes(proargtypes), ', ', ','), 'timestamp with time zone', 'timestamptz')
    )
    from pg_proc
    join pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ('public', 'private')
    order by 1
"""
RUNS_AS: LiteralString = """
    select case when prosecdef then pg_get_userbyid(proowner)::text else 'caller' end
    from pg_proc
    where oid = {}::regprocedure
"""
SETTINGS: LiteralString = "select array_to_string(proconfig, '; ') from pg_proc where oid = {}::regprocedure"
NAMED_SCHEMAS: LiteralString = """
    select nspname::text from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1
"""
NAMED_ROLES: LiteralString = "select rolname::text from pg_roles order by 1"
ATTRIBUTES: LiteralString = """
    select concat_ws(
      ',',
      case when rolsuper then 'superuser' end,
      case when rolcreaterole then 'createrole' end,
      case when rolcreatedb then 'createdb' end,
      case when rolreplication then 'replication' end,
      case when rolbypassrls then 'bypassrls' end,
      case when rolcanlogin then 'login' end,
      case when rolinherit then 'inherit' end
    )
    from pg_roles
    where rolname = {}
"""
NEW_TABLE = "public.made_tomorrow"


def cells_of_access(world: World) -> list[Cell]:
    """Every function, schema and role that there is, whether it is written down or not."""
    return [
        *_cells_of_functions(world),
        *_cells_of_schemas(world),
        *_cells_of_roles(world),
        *_cells_of_a_new_table(),
    ]


def function_names(world: World) -> list[str]:
    """Every function of ours, with the types of what it is given."""
    return [name for (name,) in world.execute(NAMED_FUNCTIONS)]


def _cells_of_functions(world: World) -> Iterator[Cell]:
    known = {row["function"]: row for row in rows_of(FUNCTIONS)}
    for name in function_names(world):
        written = known.get(name, {"runs_as": "nobody", "callers": "-"})
        yield Cell(name, None, "runs as", written["runs_as"], _fact(RUNS_AS, name))
        yield Cell(name, None, "settings", SEARCH_PATH, _fact(SETTINGS, name))
        for who in DEPLOYED:
            expected = "may" if who.acts_as in written["callers"].split() else "denied"
            for opened in (Open.NONE, Open.SCHEMAS):
                yield Cell(name, who, "call", expected, _call(who, name, opened), opened=opened)


def _cells_of_schemas(world: World) -> Iterator[Cell]:
    known = {row["schema"]: row["usage"].split() for row in rows_of(SCHEMAS)}
    for (name,) in world.execute(NAMED_SCHEMAS):
        for who in DEPLOYED:
            expected = "may" if who.acts_as in known.get(name, []) else "denied"
            look = SQL("select 1 from {}").format(Identifier(name, "no_such_table"))
            make = SQL("create table {} ()").format(Identifier(name, "intruder"))
            yield Cell(name, who, "look into", expected, _attempt(who, look))
            yield Cell(name, who, "make a table in", "denied", _attempt(who, make))
    for who in DEPLOYED:
        yield Cell("database", who, "make a schema in", "denied", _attempt(who, SQL("create schema intruder")))


def _cells_of_roles(world: World) -> Iterator[Cell]:
    for row in rows_of(ROLES):
        name, attributes = row["role"], row["attributes"].replace("-", "")
        yield Cell(name, None, "attributes of", attributes, _fact(ATTRIBUTES, name))
        for (other,) in world.execute(NAMED_ROLES):
            if other != name:
                session = Principal(name, login=name)
                expected = "may" if other in row["may_become"].split() else "denied"
                become = SQL("set local role {}").format(Identifier(other))
                yield Cell(name, session, "become", expected, _attempt(session, become), column=other)


def _cells_of_a_new_table() -> Iterator[Cell]:
    """Supabase gives everything on new tables to its roles, unless a migration takes that back."""
    statements = {
        "select": SQL("select 1 from {}"),
        "insert": SQL("insert into {} default values"),
        "update": SQL("update {} set id = default"),
        "delete": SQL("delete from {}"),
        "truncate": SQL("truncate {}"),
    }
    table = Identifier(*NEW_TABLE.split("."))
    for who in DEPLOYED:
        for verb, statement in statements.items():
            yield Cell(NEW_TABLE, who, verb, "denied", _after_making(table, who, statement.format(table)))


def _fact(query: LiteralString, name: str) -> Callable[[World], str]:
    return lambda world: str(world.execute(SQL(query).format(name))[0][0])


def _attempt(who: Principal, statement: SQL | Composed) -> Callable[[World], str]:
    """Whether there is the privilege, whatever else is wrong with the statement."""

    def probe(world: World) -> str:
        return "denied" if probes.done(world, who, statement) == "denied" else "may"

    return probe


def _call(who: Principal, name: str, opened: Open) -> Callable[[World], str]:
    schema, _, signature = name.partition(".")
    function, _, types = signature.rstrip(")").partition("(")
    nulls = SQL(", ").join(SQL("null::{}").format(Identifier(type_)) for type_ in _catalog_names(types))
    attempt = _attempt(who, SQL("select {}({})").format(Identifier(schema, function), nulls))

    def probe(world: World) -> str:
        if opened is Open.SCHEMAS:
            world.execute("grant usage on schema private to public")
        return attempt(world)

    return probe


def _catalog_names(types: str) -> list[str]:
    names = {"integer": "int4"}
    return [names.get(type_.strip(), type_.strip()) for type_ in types.split(",") if type_]


def _after_making(table: Composable, who: Principal, statement: SQL | Composed) -> Callable[[World], str]:
    attempt = _attempt(who, statement)

    def probe(world: World) -> str:
        world.execute("set local role migrator")
        world.execute(SQL("create table {} (id integer)").format(table))
        world.become_superuser()
        return attempt(world)

    return probe
