"""Audio segments: list the active ones, get one."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.audio_segments import AudioSegment, AudioSegmentPage, AudioSegmentPath, AudioSegmentQuery
from shared.dto.schema import NotebookPath
from shared.services.builds import AudioSegments
from shared.services.paging import Pager

api = http.user_api("audio_segments", "Audio segments: one MP3 per phrase and slot.")
service = AudioSegments(database(), Pager(load(CursorSettings)))


@api.get("/notebooks/<id:notebook_id>/audio-segments", responses={200: AudioSegmentPage})
def page(path: NotebookPath, query: AudioSegmentQuery) -> Response:
    """Active segments of a notebook, in the order they are played."""
    return http.answer(service.page(http.caller(), path.notebook_id, query))


@api.get("/audio-segments/<id:audio_segment_id>", responses={200: AudioSegment})
def get(path: AudioSegmentPath) -> Response:
    """One segment."""
    return http.answer(service.get(http.caller(), path.audio_segment_id))


audio_segments = http.serve(api)
