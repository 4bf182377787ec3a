"""Schemathesis runs: every operation of the document, fuzzed by one user who knows the ids of another."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.document import PATH
from tests.learner import Learner
from tests.system import System

HERE = Path(__file__).parent
LINES = ("Good morning. ::: Dzień dobry.", "no translation", "Good night. ::: Dobranoc.")
LIMITS = ("RATE_GENERATE_PER_MINUTE", "RATE_GENERATE_BURST", "RATE_WRITE_PER_MINUTE", "RATE_READ_PER_MINUTE")
UNLIMITED = dict.fromkeys(LIMITS, "1000000")


@dataclass(frozen=True)
class User:
    """Someone with a notebook that has been made."""

    learner: Learner
    ids: dict[str, str]
    """By the name of the path parameter that takes it."""


@dataclass(frozen=True)
class Run:
    """What came of a run; `statuses` has the answers to requests of each method and path."""

    is_clean: bool
    output: str
    requests: int
    checks: Counter[str]

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.checks.total()} checks of {len(self.checks)} kinds"


def signed_up(system: System) -> User:
    """A new user with one of everything."""
    learner = system.learner()
    notebook_id = learner.prepare(LINES)
    job = system.wait(learner, learner.generate(notebook_id))
    segment = learner.get(f"/notebooks/{notebook_id}/audio-segments")["items"][0]
    ids = {
        "notebook_id": notebook_id,
        "phrase_id": segment["phrase_id"],
        "job_id": job["id"],
        "build_id": segment["build_id"],
        "audio_segment_id": segment["id"],
    }
    return User(learner, ids)


def fuzz(folder: Path, user: User, other: User, *arguments: str) -> Run:
    """Let Schemathesis call as `user`, with the ids of both; `arguments` are those of its command line."""
    folder.mkdir()
    shutil.copy(HERE / "schemathesis.toml", folder)
    (folder / "users.json").write_text(json.dumps({"auth": [_auth("first", user), _auth("second", other)]}))
    for name in user.ids:
        (folder / f"{name}.dict").write_text(f'"{user.ids[name]}"\n"{other.ids[name]}"\n')
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", str(PATH)]
    command += ["--url", user.learner.app, "--auth-wfc-user", "first", "--continue-on-failure", "--no-color"]
    command += ["--report", "ndjson", "--report-ndjson-path", "events.ndjson", *arguments]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": str(HERE / "fuzz_hooks.py"),
        "FUZZ_FOREIGN_IDS": " ".join([str(other.learner.id), *other.ids.values()]),
    }
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    requests, checks = _counted(folder / "events.ndjson")
    return Run(ended.returncode == 0, ended.stdout + ended.stderr, requests, checks)


def _auth(name: str, user: User) -> dict[str, Any]:
    bearer = {"name": "Authorization", "value": f"Bearer {user.learner.token}"}
    return {"name": name, "fixedHeaders": [bearer]}


def _counted(events: Path) -> tuple[int, Counter[str]]:
    """How many requests were sent, and how often each check was made."""
    requests, checks = 0, Counter[str]()
    for line in events.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        requests += len(recorder.get("interactions", {}))
        checks.update(check["name"] for each in recorder.get("checks", {}).values() for check in each)
    return requests, checks
