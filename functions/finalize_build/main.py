"""Ends a job: activates its build, or leaves everything as it was."""

from flask import Response

from shared import http
from shared.clients.task_queues import TaskQueues
from shared.config import TaskQueueSettings, load
from shared.db.database import database
from shared.dto.tasks import JobTask
from shared.services.finalization import Finalization

api = http.worker_api("finalize-build", "What Cloud Tasks and Cloud Scheduler call.")
worker = Finalization(database(), TaskQueues(load(TaskQueueSettings)))


@api.post("/tasks/finalize-build", responses={204: None})
def run(body: JobTask) -> Response:
    """End the job, unless a segment is still missing."""
    worker.run(body.job_id)
    return http.no_content()


finalize_build = http.serve(api)
