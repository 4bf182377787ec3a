"""Begins a job: one synthesize task per missing segment."""

from flask import Response

from shared import http
from shared.clients.task_queues import TaskQueues
from shared.config import TaskQueueSettings, load
from shared.db.database import database
from shared.dto.tasks import JobTask
from shared.services.fan_out import FanOut

api = http.worker_api("fan-out", "What Cloud Tasks and Cloud Scheduler call.")
worker = FanOut(database(), TaskQueues(load(TaskQueueSettings)))


@api.post("/tasks/fan-out", responses={204: None})
def run(body: JobTask) -> Response:
    """Start the job's time and wake the synthesize workers."""
    worker.run(body.job_id)
    return http.no_content()


fan_out = http.serve(api)
