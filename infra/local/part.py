"""One process of the local system, as its parent sees it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer

START_SECONDS = 60
STOP_SECONDS = 10


class PartFailed(Exception):
    """A part did not start; the message says which one, and what it wrote last."""


class Part:
    """A module of `infra.local` that runs until it is stopped or its parent ends."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = module.rpartition(".")[2]
        self._log = log
        with log.open("ab") as stderr:
            # In a session of its own, so that Ctrl-C reaches the parent alone, which stops the parts in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**_inherited(), **environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_until_ready(self) -> dict[str, str]:
        """The addresses it announces; raises PartFailed."""
        watchdog = Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else b""
        finally:
            watchdog.cancel()
        if not line:
            raise PartFailed(f"{self.name} did not start. {self._log} ends:\n{self._last_words()}")
        addresses: dict[str, str] = json.loads(line)
        return addresses

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process; returns once it is gone. Stopping it twice is stopping it once."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])


def _inherited() -> dict[str, str]:
    """The environment without settings that may lie around in a developer's shell."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(("LC_", "LOCAL_", "RATE_", "SSL_", "PYTHON", "REQUESTS_"))
    }
