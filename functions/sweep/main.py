"""Repairs what got lost, each minute."""

from flask import Response

from shared import http
from shared.clients.task_queues import TaskQueues
from shared.config import SweepSettings, TaskQueueSettings, load
from shared.db.database import database
from shared.dto.tasks import SweepTask
from shared.services.fan_out import FanOut
from shared.services.finalization import Finalization
from shared.services.sweep import Sweep

api = http.worker_api("sweep", "What Cloud Tasks and Cloud Scheduler call.")
queues = TaskQueues(load(TaskQueueSettings))
worker = Sweep(
    database(),
    queues,
    FanOut(database(), queues),
    Finalization(database(), queues),
    load(SweepSettings),
)


@api.post("/tasks/sweep", responses={204: None})
def run(body: SweepTask) -> Response:  # noqa: ARG001  an empty body is still checked
    """Time out what is late, re-send what got lost, forget what is old."""
    worker.run()
    return http.no_content()


sweep = http.serve(api)
