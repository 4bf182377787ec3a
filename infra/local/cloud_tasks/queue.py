"""One queue: what is due when, how many deliveries at once and per second, and what becomes of a failed one."""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from google.cloud.tasks_v2 import Queue, Task

from infra.local.cloud_tasks.delivery import Answer, History
from infra.local.cloud_tasks.errors import NotFound, TaskEnded, TaskExistedRecently, TaskExists
from infra.local.cloud_tasks.rate import TokenBucket
from infra.local.cloud_tasks.retries import is_spent, pause_seconds
from infra.local.cloud_tasks.times import timestamp, unix_seconds

Deliver = Callable[[Task, History], Answer]

MAX_THREADS = 64
"""Deliveries at once, whatever the queue allows: each has a thread."""


@dataclass
class Entry:
    """A task in the queue."""

    task: Task
    history: History = field(default_factory=History)
    first_attempt_at: float = 0.0
    is_running: bool = False


class TaskQueue:
    """Delivers tasks until it is closed.

    All queues of a server share `changed`, which guards them and tells of every change; whoever calls holds it.
    `settings` are complete, and replaced rather than changed.
    """

    def __init__(
        self,
        settings: Queue,
        deliver: Deliver,
        changed: threading.Condition,
        tombstone_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.running = 0
        self._deliver, self._tombstone_seconds, self._now = deliver, tombstone_seconds, now
        self._changed = changed
        self._entries: dict[str, Entry] = {}
        self._tombstones: dict[str, float] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._is_closed = False
        self._bucket = TokenBucket(settings.rate_limits)
        threading.Thread(target=self._dispatch, name="dispatch", daemon=True).start()

    def add(self, task: Task) -> None:
        """Take a task. Raises `TaskExists` or `TaskExistedRecently` if its name is taken."""
        if task.name in self._entries:
            raise TaskExists
        if self._is_remembered(task.name):
            raise TaskExistedRecently
        self._entries[task.name] = Entry(task)
        self._schedule(task)

    def find(self, name: str) -> Task:
        """The task of this name. Raises `TaskEnded` or `NotFound`."""
        if name in self._entries:
            return self._entries[name].task
        raise TaskEnded if self._is_remembered(name) else NotFound

    def tasks(self) -> list[Task]:
        """Every task that has not ended."""
        return [entry.task for entry in self._entries.values()]

    def delete(self, name: str) -> None:
        """End a task; a delivery that is under way goes on."""
        self._end(name)

    def purge(self) -> None:
        """End every task."""
        for name in list(self._entries):
            self._end(name)

    def run_now(self, name: str) -> None:
        """Deliver a task at once, whatever its time and whether or not the queue is paused."""
        entry = self._entries[name]
        if not entry.is_running:
            self._start(entry)

    def set_state(self, state: int) -> None:
        """Deliver nothing while paused, and go on when running."""
        self.settings = Queue(self.settings)
        self.settings.state = Queue.State(state)
        self._changed.notify_all()

    def update(self, settings: Queue) -> None:
        """Go on with other settings."""
        if settings.rate_limits != self.settings.rate_limits:
            self._bucket = TokenBucket(settings.rate_limits)
        self.settings = settings
        self._changed.notify_all()

    def is_idle(self) -> bool:
        """Whether no task is due, being delivered or being retried."""
        return not self.running and not any(
            entry.history.attempts or unix_seconds(entry.task.schedule_time) <= self._now()
            for entry in self._entries.values()
        )

    def close(self) -> None:
        """Deliver nothing more; deliveries under way go on."""
        self._is_closed = True
        self._changed.notify_all()

    def _is_remembered(self, name: str) -> bool:
        now = self._now()
        self._tombstones = {name: until for name, until in self._tombstones.items() if until > now}
        return name in self._tombstones

    def _schedule(self, task: Task) -> None:
        heapq.heappush(self._due, (unix_seconds(task.schedule_time), next(self._order), task.name))
        self._changed.notify_all()

    def _end(self, name: str) -> None:
        if self._entries.pop(name, None):
            self._tombstones[name] = self._now() + self._tombstone_seconds
        self._changed.notify_all()

    def _dispatch(self) -> None:
        with self._changed:
            while not self._is_closed:
                wait_seconds = self._seconds_until_next()
                if wait_seconds is None or wait_seconds > 0:
                    self._changed.wait(wait_seconds)
                    continue
                _, _, name = heapq.heappop(self._due)
                self._bucket.take()
                self._start(self._entries[name])

    def _seconds_until_next(self) -> float | None:
        """0 if a task may be delivered now, None if something else must change first."""
        while self._due and self._is_outdated(self._due[0]):
            heapq.heappop(self._due)
        most_at_once = min(MAX_THREADS, self.settings.rate_limits.max_concurrent_dispatches)
        if not self._due or self.settings.state != Queue.State.RUNNING or self.running >= most_at_once:
            return None
        until_due = self._due[0][0] - self._now()
        return until_due if until_due > 0 else self._bucket.seconds_until_token()

    def _is_outdated(self, due: tuple[float, int, str]) -> bool:
        entry = self._entries.get(due[2])
        return entry is None or entry.is_running or unix_seconds(entry.task.schedule_time) != due[0]

    def _start(self, entry: Entry) -> None:
        self.running += 1
        entry.is_running = True
        threading.Thread(target=self._attempt, args=(entry,), name="deliver", daemon=True).start()

    def _attempt(self, entry: Entry) -> None:
        began = self._now()
        answer = self._deliver(entry.task, entry.history)
        with self._changed:
            self.running -= 1
            entry.is_running = False
            entry.first_attempt_at = entry.first_attempt_at or began
            _record(entry, answer, began, self._now())
            if self._entries.get(entry.task.name) is entry:
                self._settle(entry, answer)
            self._changed.notify_all()

    def _settle(self, entry: Entry, answer: Answer) -> None:
        """End the task, or schedule its next attempt."""
        retries, attempts, now = self.settings.retry_config, entry.history.attempts, self._now()
        if answer.is_success or is_spent(retries, attempts, now - entry.first_attempt_at):
            self._end(entry.task.name)
            return
        entry.task.schedule_time = timestamp(now + pause_seconds(retries, attempts, answer.retry_after_seconds))
        self._schedule(entry.task)


def _record(entry: Entry, answer: Answer, began: float, ended: float) -> None:
    history, task = entry.history, entry.task
    entry.history = History(
        attempts=history.attempts + 1,
        answers=history.answers + (1 if 0 < answer.status < 500 else 0),
        previous_status=answer.reported_status,
    )
    task.dispatch_count = entry.history.attempts
    task.response_count += 1 if answer.status else 0
    task.last_attempt.schedule_time = task.schedule_time
    task.last_attempt.dispatch_time = timestamp(began)
    task.last_attempt.response_time = timestamp(ended)
    task.last_attempt.response_status = answer.rpc_status
    if history.attempts == 0:
        task.first_attempt.dispatch_time = timestamp(began)
