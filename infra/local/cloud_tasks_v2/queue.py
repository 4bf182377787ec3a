"""One queue: what is due when, how many deliveries at once and per second, and what becomes of a failed one."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from google.cloud.tasks_v2 import Queue, Task
from google.protobuf.duration_pb2 import Duration

from infra.local.cloud_tasks_v2.delivery import Answer, History
from infra.local.cloud_tasks_v2.times import seconds, timestamp, unix_seconds

Deliver = Callable[[Task, History], Answer]

MAX_THREADS = 64


@dataclass
class Entry:
    """A task in the queue."""

    task: Task
    history: History = field(default_factory=History)
    first_attempt_at: float = 0.0
    is_running: bool = False


class TaskQueue:
    """Delivers tasks until it is closed."""

    def __init__(self, settings: Queue, deliver: Deliver, tombstone_seconds: float, now: Callable[[], float]) -> None:
        self.settings = with_defaults(settings)
        self._deliver, self._tombstone_seconds, self._now = deliver, tombstone_seconds, now
        self._changed = threading.Condition()
        self._entries: dict[str, Entry] = {}
        self._tombstones: dict[str, float] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._running = 0
        self._is_closed = False
        self._tokens, self._tokens_at = float(self.settings.rate_limits.max_burst_size), time.monotonic()
        threads = min(MAX_THREADS, self.settings.rate_limits.max_concurrent_dispatches)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="deliver")
        self._thread = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)
        self._thread.start()

    def add(self, task: Task) -> bool:
        """Take a task; False if the queue has or lately had one of this name."""
        with self._changed:
            if task.name in self._entries or self.is_remembered(task.name):
                return False
            self._entries[task.name] = Entry(task)
            self._schedule(task)
            return True

    def is_remembered(self, name: str) -> bool:
        """Whether a task of this name ended within the time that names stay taken."""
        with self._changed:
            now = self._now()
            self._tombstones = {name: until for name, until in self._tombstones.items() if until > now}
            return name in self._tombstones

    def find(self, name: str) -> Task | None:
        """The task of this name, if it has not ended."""
        with self._changed:
            entry = self._entries.get(name)
            return entry.task if entry else None

    def tasks(self) -> list[Task]:
        """Every task that has not ended."""
        with self._changed:
            return [entry.task for entry in self._entries.values()]

    def delete(self, name: str) -> None:
        """End a task; a delivery that is under way goes on."""
        with self._changed:
            self._end(name)

    def purge(self) -> None:
        """End every task."""
        with self._changed:
            for name in list(self._entries):
                self._end(name)

    def run_now(self, name: str) -> None:
        """Deliver a task at once, whatever its time and whether or not the queue is paused."""
        with self._changed:
            entry = self._entries.get(name)
            if entry and not entry.is_running:
                self._start(entry)

    def pause(self) -> None:
        """Deliver nothing until the queue is resumed."""
        self._set_state(Queue.State.PAUSED)

    def resume(self) -> None:
        """Deliver again."""
        self._set_state(Queue.State.RUNNING)

    def update(self, settings: Queue) -> None:
        """Go on with other limits."""
        with self._changed:
            self.settings = with_defaults(settings)
            self._changed.notify_all()

    def wait_until_idle(self, deadline: float) -> bool:
        """Wait until no task is due or being delivered; False if the (monotonic) deadline came first."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Deliver nothing more, and return once the deliveries under way have ended."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown()

    def _is_idle(self) -> bool:
        if self._running:
            return False
        retrying_or_due = (
            entry.history.attempts or unix_seconds(entry.task.schedule_time) <= self._now()
            for entry in self._entries.values()
        )
        return not any(retrying_or_due)

    def _set_state(self, state: int) -> None:
        with self._changed:
            self.settings.state = Queue.State(state)
            self._changed.notify_all()

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
                self._tokens -= 1
                self._start(self._entries[name])

    def _seconds_until_next(self) -> float | None:
        """0 if a task may be delivered now, None if something else must change first."""
        while self._due and self._is_outdated(self._due[0]):
            heapq.heappop(self._due)
        limits = self.settings.rate_limits
        if (
            not self._due
            or self.settings.state != Queue.State.RUNNING
            or self._running >= limits.max_concurrent_dispatches
        ):
            return None
        until_due = self._due[0][0] - self._now()
        return until_due if until_due > 0 else self._seconds_until_token()

    def _seconds_until_token(self) -> float:
        limits = self.settings.rate_limits
        elapsed = time.monotonic() - self._tokens_at
        self._tokens_at += elapsed
        self._tokens = min(limits.max_burst_size, self._tokens + elapsed * limits.max_dispatches_per_second)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / limits.max_dispatches_per_second

    def _is_outdated(self, due: tuple[float, int, str]) -> bool:
        entry = self._entries.get(due[2])
        return entry is None or entry.is_running or unix_seconds(entry.task.schedule_time) != due[0]

    def _start(self, entry: Entry) -> None:
        self._running += 1
        entry.is_running = True
        self._pool.submit(self._attempt, entry)

    def _attempt(self, entry: Entry) -> None:
        began = self._now()
        answer = self._deliver(entry.task, entry.history)
        with self._changed:
            self._running -= 1
            entry.is_running = False
            entry.first_attempt_at = entry.first_attempt_at or began
            _record(entry, answer, began, self._now())
            if answer.is_success or self._is_spent(entry):
                self._end(entry.task.name)
            elif entry.task.name in self._entries:
                pause = max(self._backoff_seconds(entry.history.attempts), answer.retry_after_seconds)
                entry.task.schedule_time = timestamp(self._now() + pause)
                self._schedule(entry.task)
            self._changed.notify_all()

    def _is_spent(self, entry: Entry) -> bool:
        """Whether a failed task gets no more attempts: after max_attempts, but not before max_retry_duration."""
        retries = self.settings.retry_config
        longest = seconds(retries.max_retry_duration)
        is_too_old = not longest or self._now() - entry.first_attempt_at >= longest
        is_tried_enough = retries.max_attempts < 0 or entry.history.attempts >= retries.max_attempts
        return is_tried_enough and is_too_old and (retries.max_attempts > 0 or longest > 0)

    def _backoff_seconds(self, failures: int) -> float:
        """Doubles max_doublings times, then grows in equal steps, up to max_backoff.

        https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#retryconfig
        """
        retries = self.settings.retry_config
        shortest, doublings = seconds(retries.min_backoff), retries.max_doublings
        doubled = min(failures - 1, doublings)
        steps = max(1, failures - doublings)
        return float(min(seconds(retries.max_backoff), shortest * 2**doubled * steps))


def with_defaults(settings: Queue) -> Queue:
    """The settings with Google's defaults for what they leave out."""
    limits, retries = settings.rate_limits, settings.retry_config
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or 500.0
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or 1000
    limits.max_burst_size = limits.max_burst_size or max(1, min(500, int(limits.max_dispatches_per_second / 5)))
    retries.max_attempts = retries.max_attempts or 100
    retries.max_doublings = retries.max_doublings or 16
    if "min_backoff" not in retries:
        retries.min_backoff = Duration(nanos=100_000_000)
    if "max_backoff" not in retries:
        retries.max_backoff = Duration(seconds=3600)
    settings.state = Queue.State(settings.state or Queue.State.RUNNING)
    return settings


def _record(entry: Entry, answer: Answer, began: float, ended: float) -> None:
    history = entry.history
    entry.history = History(
        attempts=history.attempts + 1,
        answers=history.answers + (1 if 0 < answer.status < 500 else 0),
        last_status=answer.status or history.last_status,
    )
    task = entry.task
    task.dispatch_count = entry.history.attempts
    task.response_count += 1 if answer.status else 0
    task.last_attempt.schedule_time = task.schedule_time
    task.last_attempt.dispatch_time = timestamp(began)
    task.last_attempt.response_time = timestamp(ended)
    if history.attempts == 0:
        task.first_attempt.dispatch_time = timestamp(began)
