"""Voices: what Google offers, and which voice speaks in which slot."""

from flask import Response

from shared import http
from shared.clients.text_to_speech import TextToSpeech
from shared.config import KeyRingSettings, SpeechSettings, load
from shared.db.database import database
from shared.dto.voices import (
    SlotPath,
    UserVoicePutRequest,
    UserVoices,
    UserVoiceSlot,
    VoiceCatalogue,
    VoicePreviewRequest,
    VoiceQuery,
)
from shared.errors import InvalidKey, QuotaExceeded, SpeechTimeout, SpeechUnavailable, VoiceConflict, VoiceNotFound
from shared.services.key_ring import KeyRing
from shared.services.voices import Voices

api = http.user_api("voices", "Voices on offer, and the learner's choice for each slot.")
service = Voices(database(), TextToSpeech(load(SpeechSettings)), KeyRing(load(KeyRingSettings)))


@api.get("/voices", responses={200: VoiceCatalogue})
@http.refuses(InvalidKey, QuotaExceeded, SpeechTimeout, SpeechUnavailable)
def catalogue(query: VoiceQuery) -> Response:
    """English and Polish voices that Google offers to the learner's key."""
    return http.answer(service.catalogue(http.caller(), query.language))


@api.post("/voices:preview", responses={200: http.MP3})
@http.refuses(InvalidKey, VoiceNotFound, QuotaExceeded, SpeechTimeout, SpeechUnavailable)
def preview(body: VoicePreviewRequest) -> Response:
    """Hear a voice."""
    return Response(service.preview(http.caller(), body), content_type="audio/mpeg")


@api.get("/user-voices", responses={200: UserVoices})
def chosen() -> Response:
    """The slots that have a voice."""
    return http.answer(service.chosen(http.caller()))


@api.put("/user-voices/<id:slot>", responses={200: UserVoiceSlot})
@http.refuses(VoiceConflict)
def choose(path: SlotPath, body: UserVoicePutRequest) -> Response:
    """Let a voice speak in a slot."""
    return http.answer(service.choose(http.caller(), path.slot, body))


voices = http.serve(api)
