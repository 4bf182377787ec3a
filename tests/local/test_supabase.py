"""A database made like a Supabase project: what its roles may and may not do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors

from infra.local.supabase import Project, bootstrap, open_project
from tests.database import drop

API_ROLES: list[LiteralString] = ["anon", "authenticated", "service_role"]


@pytest.fixture
def project(cluster_admin_url: str) -> Iterator[Project]:
    """A database as Supabase hands it over."""
    name = f"audio_loop_test_{token_hex(4)}"
    try:
        yield bootstrap(cluster_admin_url, name)
    finally:
        drop(Project(cluster_admin_url, name))


def run(url: str, *statements: LiteralString) -> Any:
    """The first value that the last statement answers, if any."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_the_migrator_is_no_superuser(project: Project) -> None:
    assert run(project.migrator_url, "show is_superuser") == "off"


def test_the_migrator_bypasses_row_level_security(project: Project) -> None:
    assert run(project.migrator_url, "select rolbypassrls from pg_roles where rolname = current_user")


def test_the_migrator_may_not_hand_out_a_superusers_power(project: Project) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(project.migrator_url, "create role mighty superuser")


@pytest.mark.parametrize("role", API_ROLES)
def test_the_migrator_may_let_a_role_of_its_own_become_an_api_role(project: Project, role: LiteralString) -> None:
    statement: LiteralString = "grant " + role + " to test_member"
    with psycopg.connect(project.migrator_url) as connection:
        connection.execute("create role test_member")
        connection.execute(statement)
        connection.rollback()


def test_the_migrator_may_refer_to_accounts_and_put_a_trigger_on_them(project: Project) -> None:
    run(
        project.migrator_url,
        "create table profiles (id uuid references auth.users)",
        "create function noticed() returns trigger language plpgsql as $$ begin return new; end $$",
        "create trigger noticed after insert on auth.users for each row execute function noticed()",
    )

    assert run(project.migrator_url, "select count(*) from auth.users") == 0


@pytest.mark.parametrize(
    "statement",
    ["delete from auth.users", "update auth.users set email = null", "select token from auth.refresh_tokens"],
)
def test_the_migrator_may_not_touch_what_belongs_to_the_auth_server(project: Project, statement: LiteralString) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(project.migrator_url, statement)


@pytest.mark.parametrize("role", API_ROLES)
def test_what_the_migrator_makes_in_public_is_open_unless_it_is_closed(project: Project, role: LiteralString) -> None:
    run(project.migrator_url, "create table forgotten (id bigserial)")

    become: LiteralString = "set role " + role
    assert run(project.admin_url, become, "insert into forgotten default values returning id") is not None


def test_a_default_privilege_that_a_migration_took_back_stays_taken_back(project: Project) -> None:
    run(project.migrator_url, "alter default privileges in schema public revoke all on tables from anon")
    bootstrap(project.server_url, project.database)
    run(project.migrator_url, "create table closed ()")

    with pytest.raises(errors.InsufficientPrivilege):
        run(project.admin_url, "set role anon", "select from closed")


@pytest.mark.parametrize("role", API_ROLES)
def test_api_roles_may_not_read_accounts(project: Project, role: LiteralString) -> None:
    become: LiteralString = "set role " + role
    with pytest.raises(errors.InsufficientPrivilege):
        run(project.admin_url, become, "select from auth.users")


USER = "5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("request.jwt.claims", f'{{"sub": "{USER}", "role": "authenticated"}}'),
        ("request.jwt.claim.sub", USER),
    ],
)
def test_the_caller_is_who_the_claims_of_the_request_name(project: Project, setting: str, value: str) -> None:
    with psycopg.connect(project.admin_url) as connection:
        connection.execute("set local role authenticated")
        connection.execute("select set_config(%s, %s, true)", [setting, value])

        assert connection.execute("select auth.uid()::text").fetchone() == (USER,)


@pytest.mark.parametrize("claims", [None, "", "{}"])
def test_without_claims_there_is_no_caller(project: Project, claims: str | None) -> None:
    with psycopg.connect(project.admin_url) as connection:
        if claims is not None:
            connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])

        assert connection.execute("select auth.uid(), auth.role()").fetchone() == (None, None)


def test_the_claims_are_there_as_a_whole(project: Project) -> None:
    claims = '{"sub": "x", "role": "authenticated", "email": "ala@example.com"}'
    with psycopg.connect(project.admin_url) as connection:
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])

        row = connection.execute("select auth.role(), auth.email(), auth.jwt() ->> 'sub'").fetchone()
    assert row == ("authenticated", "ala@example.com", "x")


def test_projects_opened_at_once_on_one_server_all_work(cluster_admin_url: str) -> None:
    names = [f"audio_loop_test_{token_hex(4)}" for _ in range(2)]
    try:
        with ThreadPoolExecutor() as pool:
            projects = list(pool.map(lambda name: open_project(cluster_admin_url, name), names * 2))

        assert {run(project.api_url, "select current_database()") for project in projects} == set(names)
    finally:
        for name in names:
            drop(Project(cluster_admin_url, name))


def test_every_role_can_log_in_to_an_open_project(template: Project) -> None:
    urls = [template.migrator_url, template.auth_url, template.api_url, template.worker_url]

    roles = [run(url, "select current_user::text") for url in urls]

    assert roles == ["migrator", "supabase_auth_admin", "api_login", "worker_login"]


def test_urls_keep_what_else_the_servers_url_says() -> None:
    project = Project("postgresql://root:p%40ss@db.example:5433/postgres?sslmode=require", "loop")

    assert project.admin_url == "postgresql://root:p%40ss@db.example:5433/loop?sslmode=require"
    assert project.api_url.startswith("postgresql://api_login:")
    assert project.api_url.endswith("@db.example:5433/loop?sslmode=require")
