"""A Cloud Tasks server for one machine: the official client's gRPC API, and real HTTP deliveries.

API: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2. It keeps everything in memory and forgets
its tasks when it ends.
"""

from infra.local.cloud_tasks_v2.server import CloudTasksServer

__all__ = ["CloudTasksServer"]
