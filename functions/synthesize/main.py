"""Makes one segment: phrase to MP3 to bucket."""

from flask import Response

from shared import http
from shared.clients.audio_storage import AudioStorage
from shared.clients.task_queues import TaskQueues
from shared.clients.text_to_speech import TextToSpeech
from shared.config import (
    KeyRingSettings,
    SpeechSettings,
    StorageSettings,
    SynthesisSettings,
    TaskQueueSettings,
    load,
)
from shared.db.database import database
from shared.dto.tasks import SegmentTask
from shared.services.key_ring import KeyRing
from shared.services.synthesis import Synthesis

api = http.worker_api("synthesize", "What Cloud Tasks and Cloud Scheduler call.")
worker = Synthesis(
    database(),
    TaskQueues(load(TaskQueueSettings)),
    AudioStorage(load(StorageSettings)),
    TextToSpeech(load(SpeechSettings)),
    KeyRing(load(KeyRingSettings)),
    load(SynthesisSettings),
)


@api.post("/tasks/synthesize", responses={204: None})
def run(body: SegmentTask) -> Response:
    """Make the segment, unless that is done or of no use any more."""
    worker.run(body.segment_id)
    return http.no_content()


synthesize = http.serve(api)
