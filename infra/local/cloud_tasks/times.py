"""Times between the protocol's form and seconds.

The client library hands out datetimes and timedeltas where its annotations name the protocol's messages, and cannot
hand out what those do not hold: `raw_seconds` reads the message itself.
"""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(seconds: float) -> Timestamp:
    """The protocol's form of a Unix time."""
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1_000_000) * 1000)


def unix_seconds(moment: Any) -> float:
    """A timestamp of a task as Unix time."""
    return float(moment.timestamp())


def seconds(duration: Any) -> float:
    """A duration in seconds; 0 where it is not set."""
    return float(duration.total_seconds())


def raw_seconds(message: Any) -> float:
    """A protobuf Duration in seconds, or a Timestamp as Unix time, however large."""
    return float(message.seconds + message.nanos / 1e9)
