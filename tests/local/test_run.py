"""`make run`, as a person on a fresh machine would meet it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests
from mutagen.mp3 import MONO, MP3

from infra.local.postgres import PostgresServer
from infra.local.stack import BUCKET, free_port
from infra.local.storage.buckets import Bucket, Buckets
from infra.local.supabase import Project
from shared.dto.schema import utc_now

ROOT = Path(__file__).parents[2]
SECONDS = 120

pytestmark = pytest.mark.timeout(300)


class Run:
    """One `make run` in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "--port", str(self.port), *arguments],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name != "DATABASE_ADMIN_URL"}
            | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output: list[str] = []

    def read_until(self, pattern: str) -> str:
        """The first line of the output that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"no line matches {pattern!r}:\n{''.join(self.output)}")

    def finish(self) -> int:
        """The exit status once it has ended."""
        assert self.process.stdout is not None
        self.output += self.process.stdout.readlines()
        return self.process.wait(SECONDS)

    def descendants(self) -> list[psutil.Process]:
        """Every process it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(folder: Path, *arguments: str, port: int | None = None) -> Iterator[Run]:
    """A run that is over at the end, whatever happened."""
    run = Run(folder, *arguments, port=port)
    try:
        yield run
    finally:
        descendants = run.descendants() if run.process.poll() is None else []
        run.process.kill()
        run.process.wait()
        for process in descendants:
            _kill(process)
        if run.process.stdout:
            run.process.stdout.close()


@contextmanager
def database_of(folder: Path) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection to the database that a run has left."""
    with PostgresServer(folder / ".local" / "postgres") as server:
        project = Project(server.admin_url, "audio_loop")
        with psycopg.connect(project.admin_url, autocommit=True) as connection:
            yield connection


@contextmanager
def bucket_of(folder: Path) -> Iterator[Bucket]:
    """The bucket that a run has left."""
    buckets = Buckets(folder / ".local" / "storage", utc_now)
    try:
        yield buckets.get(BUCKET)
    finally:
        buckets.close()


def test_once_makes_400_segments_of_the_sample_and_ends_well(tmp_path: Path) -> None:
    with running(tmp_path, "--once") as run:
        assert run.finish() == 0, "".join(run.output)
    assert "100 phrases, 400 MP3s" in "".join(run.output)
    with database_of(tmp_path) as connection, bucket_of(tmp_path) as bucket:
        rows = connection.execute("select path, duration_ms, size_bytes, status from public.audio_segments").fetchall()
        assert len(rows) == 400
        for path, duration_ms, size_bytes, status in rows:
            _, data = bucket.read(path)
            facts = MP3(BytesIO(data)).info
            assert (facts.sample_rate, facts.bitrate, facts.mode) == (22050, 64000, MONO)
            assert status == "complete"
            assert size_bytes == len(data)
            assert abs(duration_ms - facts.length * 1000) <= 1


def test_killed_in_the_middle_of_a_job_it_finishes_when_it_is_run_again(tmp_path: Path) -> None:
    with running(tmp_path, "--once") as killed:
        killed.read_until(r" [1-9]\d* of 400 segments")
        for process in [psutil.Process(killed.process.pid), *killed.descendants()]:
            _kill(process)
    with running(tmp_path, "--once") as again:
        assert again.finish() == 0, "".join(again.output)
    with database_of(tmp_path) as connection:
        jobs = connection.execute("select state::text, complete_count from public.jobs").fetchall()
        paths = {path for (path,) in connection.execute("select path from public.audio_segments where is_active")}
    assert jobs == [("succeeded", 400)]
    assert len(paths) == 400
    with bucket_of(tmp_path) as bucket:
        assert set(bucket.names_from("")) == paths


def test_ctrl_c_stops_everything_it_started_and_a_second_run_is_refused_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.read_until("Press Ctrl-C")
        app = f"http://127.0.0.1:{run.port}"
        assert requests.get(f"{app}/api/health", timeout=10).json()["status"] == "ok"
        assert "API" in requests.get(app, timeout=10).text
        assert requests.get(f"{app}/api/docs", timeout=10).ok
        assert "/api/jobs/{job_id}" in requests.get(f"{app}/api/openapi.json", timeout=10).json()["paths"]
        _refuses_a_second_run(tmp_path)
        _refuses_a_taken_port(tmp_path / "elsewhere", run.port)
        descendants = run.descendants()
        assert len(descendants) > 5
        run.process.send_signal(signal.SIGINT)
        assert run.finish() == 0
    assert [process for process in descendants if process.is_running()] == []


def test_a_real_google_key_is_asked_for() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "infra.local", "--tts", "google"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert refused.returncode != 0
    assert "make run TTS=google KEY=AIza" in refused.stderr


def _refuses_a_second_run(folder: Path) -> None:
    with running(folder) as second:
        assert second.finish() != 0
    assert "running already" in "".join(second.output)


def _refuses_a_taken_port(folder: Path, port: int) -> None:
    folder.mkdir()
    with running(folder, port=port) as other:
        assert other.finish() != 0
    assert "make run PORT=" in "".join(other.output)


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
        process.wait(10)
