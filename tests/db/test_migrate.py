"""The migrations runner, on migrations of its own, and the project's migrations from zero."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import Any, LiteralString

import psycopg
import pytest

from infra.local.supabase import Project, bootstrap, open_project
from infra.supabase import migrate as runner
from infra.supabase.migrate import (
    MIGRATIONS,
    MigrationError,
    migrate,
    read_migrations,
    set_login_passwords,
    set_password,
)
from tests.database import drop

SERVERS = ["embedded_admin_url"] + (["cluster_admin_url"] if "DATABASE_ADMIN_URL" in os.environ else [])
SERVER_NAMES = ["embedded", "given"][: len(SERVERS)]


@pytest.fixture
def project(cluster_admin_url: str) -> Iterator[Project]:
    """A database as Supabase hands it over, without any migration."""
    name = f"audio_loop_test_{token_hex(4)}"
    try:
        yield bootstrap(cluster_admin_url, name)
    finally:
        drop(Project(cluster_admin_url, name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations."""
    write(tmp_path, "20260101000000_words.sql", "create table words (word text primary key);")
    write(tmp_path, "20260102000000_first_word.sql", "insert into words values ('first');")
    return tmp_path


def write(folder: Path, name: str, statements: str) -> None:
    (folder / name).write_text(statements)


def fetch(project: Project, query: LiteralString) -> list[Any]:
    with psycopg.connect(project.admin_url) as connection:
        return [value for (value,) in connection.execute(query)]


def run_command(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.supabase.migrate"], env=environment, capture_output=True, text=True, check=False
    )


def test_migrations_are_applied_in_the_order_of_their_versions(project: Project, folder: Path) -> None:
    applied = migrate(project.migrator_url, folder)

    assert [migration.name for migration in applied] == ["words", "first_word"]
    assert fetch(project, "select word from words") == ["first"]


def test_what_was_applied_is_recorded_where_the_supabase_cli_looks(project: Project, folder: Path) -> None:
    migrate(project.migrator_url, folder)

    with psycopg.connect(project.admin_url) as connection:
        rows = connection.execute(
            "select version, name, statements from supabase_migrations.schema_migrations order by version"
        ).fetchall()
    assert rows == [
        ("20260101000000", "words", ["create table words (word text primary key);"]),
        ("20260102000000", "first_word", ["insert into words values ('first');"]),
    ]


def test_a_second_run_applies_nothing(project: Project, folder: Path) -> None:
    migrate(project.migrator_url, folder)

    assert migrate(project.migrator_url, folder) == []


def test_a_later_run_applies_only_what_is_new(project: Project, folder: Path) -> None:
    migrate(project.migrator_url, folder)
    write(folder, "20260103000000_second_word.sql", "insert into words values ('second');")

    assert [migration.name for migration in migrate(project.migrator_url, folder)] == ["second_word"]


def test_two_runs_at_once_apply_each_migration_once(project: Project, folder: Path) -> None:
    write(folder, "20260103000000_slow.sql", "select pg_sleep(0.2); create table slow ();")

    with ThreadPoolExecutor() as pool:
        runs = pool.map(lambda _: migrate(project.migrator_url, folder), range(4))
        applied = [migration.name for run in runs for migration in run]

    assert sorted(applied) == ["first_word", "slow", "words"]


def test_a_failing_migration_is_rolled_back_whole_and_named(project: Project, folder: Path) -> None:
    write(folder, "20260103000000_broken.sql", "create table kept ();\n\ninsert into nowhere values (1);\n")

    with pytest.raises(MigrationError, match=r'20260103000000_broken\.sql, line 3: relation "nowhere" does not exist'):
        migrate(project.migrator_url, folder)

    assert fetch(project, "select to_regclass('kept')") == [None]


def test_what_came_before_a_failing_migration_stays_and_the_repaired_one_follows(
    project: Project, folder: Path
) -> None:
    write(folder, "20260103000000_broken.sql", "insert into nowhere values (1);")
    with pytest.raises(MigrationError):
        migrate(project.migrator_url, folder)
    write(folder, "20260103000000_broken.sql", "insert into words values ('repaired');")

    assert [migration.name for migration in migrate(project.migrator_url, folder)] == ["broken"]


def test_a_pending_migration_older_than_the_newest_applied_is_refused(project: Project, folder: Path) -> None:
    migrate(project.migrator_url, folder)
    write(folder, "20260101120000_late.sql", "create table late ();")

    with pytest.raises(MigrationError, match=r"20260101120000_late\.sql is older than 20260102000000"):
        migrate(project.migrator_url, folder)

    assert fetch(project, "select to_regclass('late')") == [None]


@pytest.mark.parametrize(
    "name",
    ["words.sql", "2026_words.sql", "20260103000000_Words.sql", "20260103000000.sql", "20260103000000_words.txt"],
)
def test_a_file_with_a_malformed_name_is_refused(folder: Path, name: str) -> None:
    write(folder, name, "select 1;")

    with pytest.raises(MigrationError, match=name):
        read_migrations(folder)


def test_two_files_of_one_version_are_refused(folder: Path) -> None:
    write(folder, "20260101000000_again.sql", "select 1;")

    with pytest.raises(MigrationError, match="the same version"):
        read_migrations(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="no folder"):
        read_migrations(tmp_path / "missing")


def test_a_migration_may_not_end_its_transaction(folder: Path) -> None:
    write(folder, "20260103000000_half.sql", "create table half ();\ncommit;\nselect 1 / 0;")

    with pytest.raises(MigrationError, match=r"20260103000000_half\.sql begins or ends a transaction"):
        read_migrations(folder)


def test_a_setting_of_one_migration_does_not_reach_the_next(project: Project, tmp_path: Path) -> None:
    write(tmp_path, "20260101000000_set.sql", "create schema aside; set search_path = aside;")
    write(tmp_path, "20260102000000_create.sql", "create table here ();")

    migrate(project.migrator_url, tmp_path)

    assert fetch(project, "select to_regclass('public.here')::text") == ["here"]


def test_a_migration_gives_up_on_a_table_that_stays_locked(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "100ms")
    migrate(project.migrator_url, folder)
    write(folder, "20260103000000_column.sql", "alter table words add column meaning text;")

    with psycopg.connect(project.admin_url) as other:
        other.execute("select word from words")
        with pytest.raises(MigrationError, match="lock timeout"):
            migrate(project.migrator_url, folder)


def test_a_superuser_may_not_migrate(project: Project, folder: Path) -> None:
    with pytest.raises(MigrationError, match="not as a superuser"):
        migrate(project.admin_url, folder)


def test_the_command_prints_what_it_applied(project: Project) -> None:
    environment = os.environ | {"DATABASE_MIGRATION_URL": project.migrator_url}

    first = run_command(environment)
    second = run_command(environment)

    assert first.stdout.splitlines() == [f"applied {migration.file_name}" for migration in read_migrations()]
    assert second.stdout == "nothing to apply\n"


def test_the_command_without_a_url_says_what_is_missing() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_MIGRATION_URL"}

    run = run_command(environment)

    assert (run.returncode, run.stdout) == (1, "")
    assert "DATABASE_MIGRATION_URL is not set" in run.stderr


def test_the_login_roles_get_the_passwords_of_the_secrets(project: Project) -> None:
    migrate(project.migrator_url)
    try:
        set_login_passwords(project.migrator_url, api="api's own", worker="worker's own")

        for role, password in (("api_login", "api's own"), ("worker_login", "worker's own")):
            with psycopg.connect(project.admin_url, user=role, password=password) as connection:
                assert connection.info.user == role
    finally:
        open_project(project.server_url, project.database)


def test_the_server_never_sees_a_password_in_clear(project: Project) -> None:
    with psycopg.connect(project.migrator_url) as connection, psycopg.connect(project.admin_url) as observer:
        connection.execute("create role test_login login")
        set_password(connection, "test_login", "hunter2hunter2")
        seen = observer.execute(
            "select query from pg_stat_activity where pid = %s", [connection.info.backend_pid]
        ).fetchone()
        connection.rollback()

    assert seen is not None
    assert "SCRAM-SHA-256$" in seen[0]
    assert "hunter2" not in seen[0]


@pytest.mark.parametrize("server", SERVERS, ids=SERVER_NAMES)
def test_the_project_migrations_replay_from_zero(server: str, request: pytest.FixtureRequest) -> None:
    project = Project(request.getfixturevalue(server), f"audio_loop_test_{token_hex(4)}")
    try:
        bootstrap(project.server_url, project.database)

        applied = migrate(project.migrator_url)

        assert [migration.file_name for migration in applied] == sorted(file.name for file in MIGRATIONS.glob("*.sql"))
    finally:
        drop(project)


def test_each_project_migration_runs_only_once(project: Project) -> None:
    migrate(project.migrator_url)

    assert migrate(project.migrator_url) == []
