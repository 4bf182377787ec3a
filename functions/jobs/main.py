"""Jobs: start, list, watch and cancel the making of a notebook's audio."""

from flask import Response

from shared import http
from shared.clients.task_queues import TaskQueues
from shared.config import CursorSettings, TaskQueueSettings, load
from shared.db.database import database
from shared.dto.jobs import GenerateRebuildJobRequest, Job, JobAccepted, JobCanceled, JobPage, JobPath, JobQuery
from shared.dto.schema import IdempotencyHeader, NotebookPath
from shared.errors import CannotCancel, JobInProgress
from shared.services.jobs import Jobs
from shared.services.paging import Pager

api = http.user_api("jobs", "Jobs that make a notebook's audio.")
service = Jobs(database(), Pager(load(CursorSettings)), TaskQueues(load(TaskQueueSettings)))


@api.post("/notebooks/<id:notebook_id>/jobs:generate-rebuild", responses={202: JobAccepted})
@http.refuses(JobInProgress)
@http.sends("Location")
def generate_rebuild(path: NotebookPath, header: IdempotencyHeader, body: GenerateRebuildJobRequest) -> Response:
    """Make all audio of a notebook anew."""
    outcome = service.generate_rebuild(http.caller(), path.notebook_id, body, header.idempotency_key)
    return http.repeatable_answer(outcome)


@api.get("/notebooks/<id:notebook_id>/jobs", responses={200: JobPage})
def page(path: NotebookPath, query: JobQuery) -> Response:
    """Jobs of a notebook, newest first."""
    return http.answer(service.page(http.caller(), path.notebook_id, query))


@api.get("/jobs/<id:job_id>", responses={200: Job})
@http.sends("Retry-After")
def get(path: JobPath) -> Response:
    """One job and how far it has come."""
    job = service.get(http.caller(), path.job_id)
    return http.answer(job) if job.state.is_terminal else http.answer(job, retry_after="1")


@api.post("/jobs/<id:job_id>:cancel", responses={202: JobCanceled})
@http.refuses(CannotCancel)
def cancel(path: JobPath) -> Response:
    """End a job before it is done."""
    return http.answer(service.cancel(http.caller(), path.job_id), 202)


jobs = http.serve(api)
