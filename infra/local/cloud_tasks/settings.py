"""The settings of a queue: what is refused, what they are by default, and how they change."""

import math

from google.cloud.tasks_v2 import Queue
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from infra.local.cloud_tasks.errors import InvalidArgument
from infra.local.cloud_tasks.names import check_queue_name
from infra.local.cloud_tasks.times import raw_seconds

MAX_DISPATCHES_PER_SECOND = 500
MAX_CONCURRENT_DISPATCHES = 5000
MAX_BURST_SIZE = 500
MAX_DURATION_SECONDS = 315_576_000_000
"""https://protobuf.dev/reference/protobuf/google.protobuf/#duration"""


def complete(settings: Queue) -> Queue:
    """A copy with Google's defaults for what is left out. Raises `InvalidArgument`."""
    check_queue_name(settings.name)
    _check_rate_limits(settings)
    queue = Queue(settings)
    limits, retries = queue.rate_limits, queue.retry_config
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or 500.0
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or 1000
    limits.max_burst_size = limits.max_burst_size or max(1, min(500, int(limits.max_dispatches_per_second / 5)))
    retries.max_attempts = retries.max_attempts or 100
    retries.max_doublings = retries.max_doublings or 16
    if "min_backoff" not in retries:
        retries.min_backoff = Duration(nanos=100_000_000)
    if "max_backoff" not in retries:
        retries.max_backoff = Duration(seconds=3600)
    queue.state = Queue.State(queue.state or Queue.State.RUNNING)
    _check_retries(queue)
    return queue


def without_output_only(settings: Queue) -> Queue:
    """A copy of what a caller may set."""
    queue = Queue(settings)
    message = Queue.pb(queue)
    for field in ("state", "purge_time"):
        message.ClearField(field)
    message.rate_limits.ClearField("max_burst_size")
    return queue


def updated(current: Queue, changes: Queue, mask: FieldMask) -> Queue:
    """The settings with the fields of the mask changed, or all of them if it is empty. Raises `InvalidArgument`."""
    if not mask.IsValidForDescriptor(Queue.pb().DESCRIPTOR):
        raise InvalidArgument(f"Invalid update mask: {', '.join(mask.paths)}")
    queue, changes = without_output_only(current), without_output_only(changes)
    if not mask.paths:
        queue = changes
    else:
        mask.MergeMessage(Queue.pb(changes), Queue.pb(queue), replace_message_field=True)
    queue.state = current.state
    return complete(queue)


def _check_rate_limits(settings: Queue) -> None:
    limits = settings.rate_limits
    _check_range("RateLimits.maxDispatchesPerSecond", limits.max_dispatches_per_second, MAX_DISPATCHES_PER_SECOND)
    _check_range("RateLimits.maxConcurrentDispatches", limits.max_concurrent_dispatches, MAX_CONCURRENT_DISPATCHES)
    _check_range("RateLimits.maxBurstSize", limits.max_burst_size, MAX_BURST_SIZE)


def _check_retries(queue: Queue) -> None:
    retries = Queue.pb(queue).retry_config
    if retries.max_attempts < -1:
        raise InvalidArgument("RetryConfig.maxAttempts must be greater or equal to -1.")
    shortest, longest = raw_seconds(retries.min_backoff), raw_seconds(retries.max_backoff)
    _check_range("RetryConfig.maxDoublings", retries.max_doublings, math.inf)
    _check_range("RetryConfig.maxRetryDuration", raw_seconds(retries.max_retry_duration), MAX_DURATION_SECONDS)
    _check_range("RetryConfig.minBackoff", shortest, MAX_DURATION_SECONDS)
    _check_range("RetryConfig.maxBackoff", longest, MAX_DURATION_SECONDS)
    if shortest > longest:
        raise InvalidArgument("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")


def _check_range(name: str, value: float, most: float) -> None:
    if value < 0 or math.isnan(value):
        raise InvalidArgument(f"{name} cannot be negative.")
    if value > most:
        raise InvalidArgument(f"{name} must be less than or equal to {most}.")
