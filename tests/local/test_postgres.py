"""The embedded PostgreSQL server, started, stopped and killed for real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest

from infra.local.postgres import PostgresFailed, PostgresServer

HOLD = """
import sys, pathlib
from infra.local.postgres import PostgresServer
server = PostgresServer(pathlib.Path(sys.argv[1]), durable=False)
server.start()
print(server.admin_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that is stopped at the end, if the test has started it."""
    server = PostgresServer(tmp_path / "data", durable=False)
    yield server
    server.stop()


def run(url: str, statement: LiteralString) -> object:
    """The first value of a statement's answer, if it has one."""
    with psycopg.connect(url, connect_timeout=2) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postmaster.pid").read_text().partition("\n")[0]))


def test_a_started_server_answers(server: PostgresServer) -> None:
    server.start()

    assert run(server.admin_url, "select rolname from pg_roles where rolsuper") == "supabase_admin"


def test_data_survive_a_restart(server: PostgresServer) -> None:
    server.start()
    run(server.admin_url, "create table kept as select 7 as seven")
    server.stop()
    server.start()

    assert run(server.admin_url, "select seven from kept") == 7


def test_starting_twice_keeps_the_server_that_runs(server: PostgresServer) -> None:
    server.start()
    url = server.admin_url
    server.start()

    assert server.admin_url == url


def test_stopping_twice_is_stopping_once(server: PostgresServer) -> None:
    server.start()
    server.stop()
    server.stop()

    with pytest.raises(psycopg.OperationalError):
        run(server.admin_url, "select 1")


def test_the_server_is_gone_after_an_exception_in_its_block(tmp_path: Path) -> None:
    def fail() -> None:
        with PostgresServer(tmp_path / "data", durable=False):
            started.append(postmaster(tmp_path / "data"))
            raise RuntimeError

    started: list[psutil.Process] = []
    with pytest.raises(RuntimeError):
        fail()

    assert not started[0].is_running()


def test_stopping_does_not_wait_for_those_who_are_connected(server: PostgresServer) -> None:
    server.start()
    with psycopg.connect(server.admin_url) as connection:
        server.stop()

        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_it_listens_on_loopback_tcp_alone(server: PostgresServer) -> None:
    server.start()

    assert run(server.admin_url, "show listen_addresses") == "127.0.0.1"
    assert run(server.admin_url, "show unix_socket_directories") == ""


def test_nobody_gets_in_without_the_password(server: PostgresServer) -> None:
    server.start()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.admin_url, password="guess")


def test_only_the_owner_may_read_the_password(server: PostgresServer, tmp_path: Path) -> None:
    server.start()

    assert (tmp_path / "data.password").stat().st_mode & 0o777 == 0o600


def test_letters_beyond_ascii_have_case(server: PostgresServer) -> None:
    server.start()

    assert run(server.admin_url, "select lower('ŁÓDŹ')") == "łódź"


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_a_durable_server_waits_for_the_disk(tmp_path: Path, *, durable: bool, fsync: str) -> None:
    with PostgresServer(tmp_path / "data", durable=durable) as server:
        assert run(server.admin_url, "show fsync") == fsync


def test_what_was_committed_survives_kill_9_of_the_server(tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "data") as server:
        run(server.admin_url, "create table kept as select 7 as seven")
        postmaster(tmp_path / "data").kill()
    with PostgresServer(tmp_path / "data") as server:
        assert run(server.admin_url, "select seven from kept") == 7


def test_data_survive_kill_9_of_the_parent_whose_server_lives_on(server: PostgresServer, tmp_path: Path) -> None:
    with hold(tmp_path / "data") as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        run(url, "create table kept as select 7 as seven")
        parent.kill()
    orphan = postmaster(tmp_path / "data")
    assert orphan.is_running()

    server.start()

    assert not orphan.is_running()
    assert run(server.admin_url, "select seven from kept") == 7


def test_a_server_in_use_by_another_program_is_left_alone(server: PostgresServer, tmp_path: Path) -> None:
    with hold(tmp_path / "data") as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        with pytest.raises(PostgresFailed, match="Another program is using this database"):
            server.start()

        assert run(url, "select 1") == 1
        parent.kill()
    server.start()


def hold(data: Path) -> subprocess.Popen[str]:
    """Another program that starts a server and prints its URL."""
    command = [sys.executable, "-c", HOLD, str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("content", ["", "{pid}\n"], ids=["an empty one", "one that names another program"])
def test_a_stale_pid_file_does_not_hinder_the_start(server: PostgresServer, tmp_path: Path, content: str) -> None:
    server.start()
    owner = postmaster(tmp_path / "data").uids().real
    server.stop()
    with subprocess.Popen(["/bin/sleep", "60"], user=owner) as other:
        (tmp_path / "data" / "postmaster.pid").write_text(content.format(pid=other.pid))
        server.start()

        assert other.poll() is None
        assert run(server.admin_url, "select 1") == 1
        other.send_signal(signal.SIGTERM)


def test_a_first_start_that_was_killed_half_way_is_begun_anew(server: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "data.unfinished" / "base").mkdir(parents=True)
    (tmp_path / "data.password.unfinished").write_text("hal")

    server.start()

    assert run(server.admin_url, "select 1") == 1


def test_a_lost_password_is_reported(server: PostgresServer, tmp_path: Path) -> None:
    server.start()
    server.stop()
    (tmp_path / "data.password").unlink()

    with pytest.raises(PostgresFailed, match=r"data\.password is gone"):
        server.start()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(server: PostgresServer, tmp_path: Path) -> None:
    server.start()
    server.stop()
    (tmp_path / "data" / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(PostgresFailed, match="not compatible"):
        server.start()


def test_root_without_setpriv_is_told_what_to_do(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PostgresFailed, match="util-linux"):
        server.start()
