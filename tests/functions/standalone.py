"""A function alone in a process under functions-framework, as it runs in the cloud."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from infra.local.stack import free_port

ROOT = Path(__file__).parents[2]
FRAMEWORK = Path(sys.executable).with_name("functions-framework")
START_SECONDS = 60
STOP_SECONDS = 10


class Standalone:
    """A function with these settings and none besides; it has not necessarily started when this is made."""

    def __init__(self, name: str, settings: Mapping[str, str], log: Path) -> None:
        self._log = log
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [
                    str(FRAMEWORK),
                    *("--source", f"functions/{name}/main.py", "--target", name),
                    *("--host", "127.0.0.1", "--port", str(port)),
                ],
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT), **settings},
            )

    def answer(self, method: str, path: str, token: str | None = None) -> requests.Response:
        """The response to a request, once the function has started."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                return requests.request(method, f"{self.url}{path}", headers=headers, timeout=10)
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"the function did not start:\n{self._log.read_text()}")

    def last_words(self) -> str:
        """What a function has logged that does not start."""
        status = self._process.wait(START_SECONDS)
        assert status != 0, "it ended as if all were well"
        return self._log.read_text()

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def wait(self) -> None:
        """Return once the process is gone."""
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
