"""Deletes the objects that nothing plays any more."""

from flask import Response

from shared import http
from shared.clients.audio_storage import AudioStorage
from shared.config import StorageSettings, load
from shared.db.database import database
from shared.dto.tasks import BuildTask
from shared.services.garbage_collection import GarbageCollection

api = http.worker_api("collect-garbage", "What Cloud Tasks and Cloud Scheduler call.")
worker = GarbageCollection(database(), AudioStorage(load(StorageSettings)))


@api.post("/tasks/collect-garbage", responses={204: None})
def run(body: BuildTask) -> Response:
    """Delete the build's due garbage."""
    worker.run(body.build_id)
    return http.no_content()


collect_garbage = http.serve(api)
