"""The learner's Google Text-to-Speech key: state, test, store, forget."""

from flask import Response

from shared import http
from shared.clients.text_to_speech import TextToSpeech
from shared.config import KeyRingSettings, SpeechSettings, load
from shared.db.database import database
from shared.dto.tts_credentials import (
    TtsCredentialsPutRequest,
    TtsCredentialsState,
    TtsCredentialsTested,
    TtsCredentialsTestRequest,
)
from shared.errors import InvalidKey, QuotaExceeded, SpeechTimeout, SpeechUnavailable
from shared.services.key_ring import KeyRing
from shared.services.tts_credentials import TtsCredentials

api = http.user_api("tts_credentials", "The learner's own Google Text-to-Speech key.", no_store=True)
credentials = TtsCredentials(database(), TextToSpeech(load(SpeechSettings)), KeyRing(load(KeyRingSettings)))


@api.get("/tts-credentials", responses={200: TtsCredentialsState})
def state() -> Response:
    """Whether a key is stored."""
    return http.answer(credentials.state(http.caller()))


@api.post("/tts-credentials:test", responses={200: TtsCredentialsTested})
@http.refuses(InvalidKey, QuotaExceeded, SpeechTimeout, SpeechUnavailable)
def test(body: TtsCredentialsTestRequest) -> Response:
    """Try a key with one real synthesis; nothing is stored but that it was tested."""
    return http.answer(credentials.test(http.caller(), body.google_api_key.get_secret_value()))


@api.put("/tts-credentials", responses={200: TtsCredentialsState})
def put(body: TtsCredentialsPutRequest) -> Response:
    """Store a key that was tested within the last 15 minutes."""
    return http.answer(credentials.put(http.caller(), body.google_api_key.get_secret_value()))


@api.delete("/tts-credentials", responses={204: None})
def delete() -> Response:
    """Forget the key."""
    credentials.delete(http.caller())
    return http.no_content()


tts_credentials = http.serve(api)
