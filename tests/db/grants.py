"""Who may do what with which table, view and column."""

from collections import defaultdict

from tests.database import Database

# With a column's name where a privilege is for that column alone.
GRANTS = """
    with granted as (
      select relation.oid, acl.grantee, acl.privilege_type, null as attname
      from pg_class relation
      cross join aclexplode(relation.relacl) acl
      union all
      select relation.oid, acl.grantee, acl.privilege_type, attributes.attname
      from pg_class relation
      join pg_attribute attributes on attributes.attrelid = relation.oid
      cross join aclexplode(attributes.attacl) acl
    )
    select
      relnamespace::regnamespace::text || '.' || relname as relation,
      lower(privilege_type) as privilege,
      attname as column_name
    from granted
    join pg_class using (oid)
    where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
      and grantee = coalesce((select oid from pg_roles where rolname = %s), 0)
    order by relation, privilege, column_name
"""


def grants_of(database: Database, role: str) -> dict[str, dict[str, set[str]]]:
    """The columns that a role may read or write, by relation and privilege; an empty set means all of them.

    PUBLIC stands for what everybody may.
    """
    grants: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for row in database.fetch(GRANTS, [role]):
        columns = grants[row["relation"]].setdefault(row["privilege"], set())
        if row["column_name"]:
            columns.add(row["column_name"])
    return dict(grants)
