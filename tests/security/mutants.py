"""Weaker and stronger copies of the database: one statement each, which some cell or attack must notice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import LiteralString

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from tests.security.access import NEW_TABLE, function_names
from tests.security.matrix import VERBS, VERBS_ON_COLUMNS
from tests.security.relations import Relation, relations
from tests.security.world import World

ROLES = ("anon", "authenticated", "service_role", "api_login", "worker_login")
GRANTEES = (*ROLES, "public")
# What a role of ours could become a member of, and one that comes with Postgres.
GROUPS = (*ROLES, "migrator", "supabase_auth_admin", "pg_read_all_data", "pg_write_all_data")
ATTRIBUTES: dict[LiteralString, str] = {
    "superuser": "rolsuper",
    "bypassrls": "rolbypassrls",
    "createrole": "rolcreaterole",
    "createdb": "rolcreatedb",
    "replication": "rolreplication",
    "login": "rolcanlogin",
    "inherit": "rolinherit",
}
SEARCH_PATHS: tuple[LiteralString, ...] = (
    "reset search_path",
    "set search_path = pg_temp, pg_catalog",
    "set search_path = public, pg_temp",
    "set search_path = pg_catalog",
)

OWNER_CHECK = re.compile(r"\b(\w+\.)?(user_)?id = (owner|auth\.uid\(\)|\(select auth\.uid\(\)\))")
CALLER = re.compile(r"auth\.uid\(\)")
GUARD = re.compile(r"if not found then")

POLICIES: LiteralString = """
    select schemaname || '.' || tablename, policyname::text, qual, with_check
    from pg_policies
    where schemaname in ('public', 'private')
    order by 1, 2
"""


@dataclass(frozen=True)
class Mutant:
    """A statement, and the thing, role, verb and column that it is about."""

    statement: SQL | Composed
    thing: str
    role: str = ""
    verb: str = ""
    column: str = ""


def of_policies(world: World) -> Iterator[Mutant]:
    """Each policy dropped, and each of its conditions waived."""
    for table, name, using, check in world.execute(POLICIES):
        policy = SQL("policy {} on {}").format(Identifier(name), Identifier(*table.split(".")))
        yield Mutant(SQL("drop {}").format(policy), table)
        yield Mutant(SQL("alter {} to public").format(policy), table)
        if using not in (None, "true"):
            yield Mutant(SQL("alter {} using (true)").format(policy), table)
        if check not in (None, "true"):
            yield Mutant(SQL("alter {} with check (true)").format(policy), table)


def of_row_level_security(world: World) -> Iterator[Mutant]:
    """Each table without it, or without it for the table's owner; each view as if its owner asked."""
    for relation in relations(world):
        switches: tuple[LiteralString, ...] = ("disable row level security", "no force row level security")
        if relation.is_view:
            switches = ("set (security_invoker = false)", "reset (security_invoker)")
        kind = SQL("view") if relation.is_view else SQL("table")
        for switch in switches:
            yield Mutant(SQL("alter {} {} {}").format(kind, relation.identifier, SQL(switch)), relation.name)


def of_grants_on_tables(world: World) -> Iterator[Mutant]:
    """Each privilege on a table that a role lacks, and each that it has taken away."""
    for relation, verb, role in product(relations(world), VERBS, GRANTEES):
        has = role != "public" and _holds(world, SQL("table"), role, relation.name, verb)
        if relation.is_view and verb == "truncate":
            continue  # Postgres would not let anyone
        yield Mutant(_grant_or_revoke(SQL(verb), relation.identifier, role, has=has), relation.name, role, verb)


def of_grants_on_columns(world: World) -> Iterator[Mutant]:
    """Each privilege on a column that a role lacks, and each that it has on some columns only taken away."""
    for relation, verb, role in product(relations(world), VERBS_ON_COLUMNS, ROLES):
        if not _holds(world, SQL("table"), role, relation.name, verb):
            yield from _of_columns(world, relation, verb, role)


def of_functions(world: World) -> Iterator[Mutant]:
    """Each function with more callers or fewer, another search_path, or other privileges."""
    for name in function_names(world):
        function = SQL("function {}").format(SQL(name))
        for role in GRANTEES:
            has = role != "public" and _holds(world, SQL("function"), role, name, "execute")
            yield Mutant(_grant_or_revoke(SQL("execute"), function, role, has=has), name, role, "call")
        runs_as_owner = world.execute("select prosecdef from pg_proc where oid = %s::regprocedure", [name]) == [(True,)]
        other = SQL("security invoker" if runs_as_owner else "security definer")
        for change in (other, *map(SQL, SEARCH_PATHS)):
            yield Mutant(SQL("alter {} {}").format(function, change), name)


def of_function_bodies(world: World) -> Iterator[Mutant]:
    """Each function that forgets once whose row it is, takes the caller for another, or goes on without a row."""
    another = Literal(str(world.learners["owner"].user)).as_string(world.connection) + "::pg_catalog.uuid"
    for name in function_names(world):
        definition = world.execute("select pg_get_functiondef(%s::regprocedure)", [name])[0][0]
        for pattern, weaker in ((OWNER_CHECK, "true"), (CALLER, another), (GUARD, "if false then")):
            for found in pattern.finditer(definition):
                body = definition[: found.start()] + weaker + definition[found.end() :]
                yield Mutant(SQL(body), name)


def of_schemas(world: World) -> Iterator[Mutant]:
    """Each schema that a role may not look into or make things in, opened; and ours closed to whom it is open."""
    for schema, verb, role in product(("public", "private"), ("usage", "create"), GRANTEES):
        has = role != "public" and _holds(world, SQL("schema"), role, schema, verb)
        if has and schema == "public":
            continue  # also open to everyone in any new database
        if (role, schema, verb) != ("public", "public", "usage"):
            yield Mutant(
                _grant_or_revoke(SQL(verb), SQL("schema {}").format(Identifier(schema)), role, has=has), schema
            )
    for role in GRANTEES:
        database = SQL("database {}").format(Identifier(world.connection.info.dbname))
        yield Mutant(_grant_or_revoke(SQL("create"), database, role, has=False), "database")


def of_roles(world: World) -> Iterator[Mutant]:
    """Each role with another's membership, and each membership taken away."""
    member: LiteralString = "select pg_has_role(%s, %s, 'member'), pg_has_role(%s, %s, 'member')"
    for role, group in product(ROLES, GROUPS):
        is_member, is_circular = world.execute(member, [role, group, group, role])[0]
        if not is_circular:
            membership = SQL("revoke {} from {} granted by migrator" if is_member else "grant {} to {}")
            yield Mutant(membership.format(Identifier(group), Identifier(role)), role)
    if world.connection.info.server_version >= 16_00_00:  # before, it went with the role: see its attributes
        inherited = SQL("grant authenticated to api_login with inherit true")
        yield Mutant(inherited, "public.notebooks", "api_login", "select")


def of_attributes(world: World) -> Iterator[Mutant]:
    """Each role with one attribute more, or less."""
    for role, (attribute, column) in product(ROLES, ATTRIBUTES.items()):
        holds = SQL("select {} from pg_roles where rolname = {}").format(Identifier(column), role)
        switch = SQL("no" if world.execute(holds) == [(True,)] else "")
        yield Mutant(SQL("alter role {} {}{}").format(Identifier(role), switch, SQL(attribute)), role)


def of_default_privileges(_: World) -> Iterator[Mutant]:
    """Every table to come open to a role."""
    for role, verb in product(GRANTEES, VERBS):
        grant = SQL("alter default privileges for role migrator in schema public grant {} on tables to {}")
        yield Mutant(grant.format(SQL(verb), SQL(role)), NEW_TABLE, role, verb)


FAMILIES = {
    "policies": of_policies,
    "row-level security": of_row_level_security,
    "grants on tables": of_grants_on_tables,
    "grants on columns": of_grants_on_columns,
    "functions": of_functions,
    "function bodies": of_function_bodies,
    "schemas": of_schemas,
    "roles": of_roles,
    "attributes of roles": of_attributes,
    "default privileges": of_default_privileges,
}


def _of_columns(world: World, relation: Relation, verb: str, role: str) -> Iterator[Mutant]:
    for column in relation.columns:
        query = SQL("select has_column_privilege({}, {}, {}, {})").format(role, relation.name, column, verb)
        privilege = SQL("{} ({})").format(SQL(verb), Identifier(column))
        change = _grant_or_revoke(privilege, relation.identifier, role, has=world.execute(query) == [(True,)])
        yield Mutant(change, relation.name, role, verb, column)


def _holds(world: World, kind: Composable, role: str, thing: str, privilege: str) -> bool:
    query = SQL("select has_{}_privilege({}, {}, {})").format(kind, role, thing, privilege)
    return world.execute(query) == [(True,)]


def _grant_or_revoke(privilege: Composable, thing: Composable, role: str, *, has: bool) -> Composed:
    statement = SQL("revoke {} on {} from {}") if has else SQL("grant {} on {} to {}")
    return statement.format(privilege, thing, SQL(role))
