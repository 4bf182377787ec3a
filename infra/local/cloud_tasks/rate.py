"""How fast a queue delivers."""

import time

from google.cloud.tasks_v2 import RateLimits


class TokenBucket:
    """A token for each delivery, full at first; in seconds of the monotonic clock.

    https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#ratelimits
    """

    def __init__(self, limits: RateLimits) -> None:
        self._per_second, self._size = limits.max_dispatches_per_second, limits.max_burst_size
        self._tokens, self._filled_at = float(self._size), time.monotonic()

    def seconds_until_token(self) -> float:
        """0 if a token can be taken now."""
        elapsed = time.monotonic() - self._filled_at
        self._filled_at += elapsed
        self._tokens = min(self._size, self._tokens + elapsed * self._per_second)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._per_second

    def take(self) -> None:
        """Use up a token."""
        self._tokens -= 1
