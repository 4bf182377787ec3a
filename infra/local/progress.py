"""Shows how a job goes on: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 2.0


class JobProgress:
    """Phrases, segments, failures and the time left of one job; use it in a `with` block."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("segments, {task.fields[failed]} failed"),
            TimeRemainingColumn(),
            console=Console(),
            disable=not self._is_terminal,
        )
        self._task = self._bar.add_task("Making audio", total=None, failed=0)
        self._began = time.monotonic()
        self._next_line = self._began

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, job: dict[str, Any]) -> None:
        """Show the job as the API gives it."""
        progress = job["progress"]
        done = progress["complete"] + progress["failed"]
        phrases = f"{done // 4} of {progress['total'] // 4} phrases"
        self._bar.update(
            self._task, description=phrases, total=progress["total"], completed=done, failed=progress["failed"]
        )
        if not self._is_terminal and (time.monotonic() >= self._next_line or job["ended_at"]):
            self._next_line = time.monotonic() + LINE_EVERY_SECONDS
            left = self._seconds_left(done, progress["total"])
            print(f"  {phrases}, {done} of {progress['total']} segments, {progress['failed']} failed{left}", flush=True)

    def _seconds_left(self, done: int, total: int) -> str:
        if not done or done == total:
            return ""
        return f", about {(time.monotonic() - self._began) * (total - done) / done:.0f} s left"
