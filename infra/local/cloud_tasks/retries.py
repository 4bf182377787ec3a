"""When a failed task is tried again, and when no more.

https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#retryconfig
"""

from google.cloud.tasks_v2 import RetryConfig

from infra.local.cloud_tasks.times import seconds

MAX_PAUSE_SECONDS = 30 * 86400.0
"""Longer than this Google keeps no task waiting."""

_MOST_DOUBLINGS = 62


def is_spent(retries: RetryConfig, attempts: int, age_seconds: float) -> bool:
    """Whether a failed task gets no more attempts: after max_attempts, but not before max_retry_duration.

    `age_seconds` is the time since the first attempt.
    """
    longest = seconds(retries.max_retry_duration)
    is_too_old = not longest or age_seconds >= longest
    is_tried_enough = retries.max_attempts < 0 or attempts >= retries.max_attempts
    return is_tried_enough and is_too_old and (retries.max_attempts > 0 or longest > 0)


def pause_seconds(retries: RetryConfig, attempts: int, retry_after_seconds: float) -> float:
    """The pause after so many attempts: at least what the worker asked for, at most what Google allows.

    It doubles max_doublings times, then grows in equal steps, up to max_backoff.
    """
    doublings = min(retries.max_doublings, _MOST_DOUBLINGS)
    steps = max(1, attempts - doublings)
    backoff = seconds(retries.min_backoff) * 2 ** min(attempts - 1, doublings) * steps
    return float(min(MAX_PAUSE_SECONDS, max(retry_after_seconds, min(seconds(retries.max_backoff), backoff))))
