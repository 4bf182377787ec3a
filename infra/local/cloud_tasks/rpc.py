"""The service as gRPC serves it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2 import Queue, Task
from google.protobuf.empty_pb2 import Empty

from infra.local.cloud_tasks.errors import InvalidArgument, Refused
from infra.local.cloud_tasks.service import CloudTasksService

SERVICE = "google.cloud.tasks.v2.CloudTasks"
MAX_RPC_SECONDS = 30.0
NO_DEADLINE_SECONDS = 10 * 365 * 86400.0
"""A call without a deadline looks as if it had one in some centuries."""

ANSWERS: dict[str, Any] = {
    "CreateQueue": Queue,
    "GetQueue": Queue,
    "ListQueues": tasks_v2.ListQueuesResponse,
    "UpdateQueue": Queue,
    "DeleteQueue": None,
    "PurgeQueue": Queue,
    "PauseQueue": Queue,
    "ResumeQueue": Queue,
    "CreateTask": Task,
    "GetTask": Task,
    "ListTasks": tasks_v2.ListTasksResponse,
    "DeleteTask": None,
    "RunTask": Task,
}
"""Each RPC and what it answers with, if with anything."""


def rpc_handler(service: CloudTasksService) -> "grpc.GenericRpcHandler[Any, Any]":
    """What a gRPC server is given to serve the service."""
    methods = {}
    for name, answer in ANSWERS.items():
        methods[name] = grpc.unary_unary_rpc_method_handler(
            _answering(getattr(service, name)),
            request_deserializer=getattr(tasks_v2, f"{name}Request").deserialize,
            response_serializer=answer.serialize if answer else Empty.SerializeToString,
        )
    handler: grpc.GenericRpcHandler[Any, Any] = grpc.method_handlers_generic_handler(SERVICE, methods)
    return handler


def _answering(method: Callable[[Any], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            _check_deadline(context.time_remaining())
            return method(request)
        except Refused as refused:
            context.abort(refused.code, refused.message)

    return answer


def _check_deadline(remaining_seconds: float | None) -> None:
    if remaining_seconds is None or not MAX_RPC_SECONDS < remaining_seconds < NO_DEADLINE_SECONDS:
        return
    deadline = datetime.now(UTC) + timedelta(seconds=remaining_seconds)
    raise InvalidArgument(
        f"The request deadline is {deadline.isoformat()}. "
        f"The deadline cannot be more than {MAX_RPC_SECONDS:.0f}s in the future."
    )
