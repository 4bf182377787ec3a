"""The whole local system for the tests of a run: its processes, and what a test may look into."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import requests

from infra.local.scheduler import Scheduler
from infra.local.stack import TASKS_LOCATION, TASKS_SERVICE_ACCOUNT, Stack, free_port
from shared.config import KeyRingSettings
from shared.services.key_ring import KeyRing
from tests.database import Database
from tests.learner import Learner

SETTINGS = {
    # Google's silence is noticed after a second, and the slow key keeps it for two.
    "TTS_TIMEOUT_SECONDS": "1",
    "LOCAL_TTS_SLOW_SECONDS": "2",
    "LOCAL_TTS_RETRY_SECONDS": "1",
}
ENDED = ("succeeded", "failed", "canceled", "timeout")
POLL_SECONDS = 0.1


@dataclass
class System:
    """A running stack, a superuser's view of its database, and the learners of the tests."""

    stack: Stack
    database: Database
    home: Path

    @property
    def app(self) -> str:
        """The origin of the app."""
        return self.stack.addresses.app

    def learner(self) -> Learner:
        """A new learner, signed in."""
        account = self._sign_up()
        return Learner(self.app, UUID(account["user"]["id"]), account["access_token"])

    def wait(self, learner: Learner, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The job once it has ended; looks into the database, which costs the learner nothing of their rate limit."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            rows = self.database.fetch("select state::text from public.jobs where id = %s", [job["id"]])
            if rows[0]["state"] in ENDED:
                ended: dict[str, Any] = learner.get(f"/jobs/{job['id']}")
                return ended
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the job did not end within {seconds} s")

    def sweep(self) -> None:
        """Call the sweep, as Cloud Scheduler does each minute."""
        addresses = self.stack.addresses
        queue = f"{TASKS_LOCATION}/queues/sweep"
        with Scheduler(addresses.tasks, queue, addresses.workers, TASKS_SERVICE_ACCOUNT):
            pass

    def until(self, is_so: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"it was not so within {seconds} s"
            time.sleep(POLL_SECONDS)

    def logs(self) -> str:
        """Everything that every part has logged."""
        return "\n".join(log.read_text(errors="replace") for log in sorted((self.home / "logs").glob("*.log")))

    def key_ring(self) -> KeyRing:
        """What this stack encrypts the learners' keys with."""
        secrets = json.loads((self.home / "secrets.json").read_text())
        return KeyRing(
            KeyRingSettings.model_validate(
                {"key_ring": secrets["key_ring"], "key_fingerprint_secret": secrets["fingerprint"]}
            )
        )

    def _sign_up(self) -> dict[str, Any]:
        body = {"email": f"learner-{time.monotonic_ns()}@example.com", "password": "a long password"}
        response = requests.post(f"{self.app}/auth/v1/signup", json=body, timeout=10)
        response.raise_for_status()
        account: dict[str, Any] = response.json()
        return account


@contextmanager
def running_system(
    admin_url: str, database: str, home: Path, settings: Mapping[str, str] | None = None
) -> Iterator[System]:
    """Start the stack on a database of its own; `settings` go over those that all tests have."""
    told = {**SETTINGS, **(settings or {})}
    with Stack(home, free_port(), database_admin_url=admin_url, database=database, settings=told) as stack:
        view = Database(stack.project)
        try:
            yield System(stack, view, home)
        finally:
            view.close()
