"""Google Cloud Text-to-Speech, v1beta1 over REST: the version whose answers say when an SSML mark is reached."""

import hashlib
import io
import re
import wave
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from cachetools import TTLCache

from shared.clients.speech_errors import call_failures, invalid_key, speech_error
from shared.config import SpeechSettings
from shared.dto.speech import SAMPLE_RATE_HZ, Gender, Speech, SpeechRequest, Voice, voice_family, voice_language_code
from shared.errors import AppError, SpeechUnavailable

if TYPE_CHECKING:
    from google.cloud import texttospeech_v1beta1 as google_speech

Answer = TypeVar("Answer")

# A client holds the key, so it lives only as long as it takes to make the next segment over the same connection.
CLIENT_SECONDS = 30
CLIENTS = 32

SENDABLE_KEY = re.compile(r"[!-~]{1,200}")
"""What can stand in an HTTP header; Google's keys are 39 characters of it."""


class TextToSpeech:
    """Speaks with whatever key a call brings. May be shared by threads.

    Every call raises a SpeechError, or an AppError where the request itself was wrong. No error and no chain of errors
    holds the key.
    """

    def __init__(self, settings: SpeechSettings) -> None:
        self._endpoint = settings.tts_endpoint
        self._timeout_seconds = settings.tts_timeout_seconds
        self._clients: TTLCache[bytes, google_speech.TextToSpeechClient] = TTLCache(CLIENTS, CLIENT_SECONDS)
        self._lock = Lock()

    def synthesize(self, api_key: str, request: SpeechRequest) -> Speech:
        """The request, spoken: one call of Google, never repeated here."""
        message = _message_of(request)
        answer = self._call(
            api_key,
            lambda client: client.synthesize_speech(message, retry=None, timeout=self._timeout_seconds),
        )
        marks = {timepoint.mark_name: timepoint.time_seconds for timepoint in answer.timepoints}
        return Speech(_samples(answer.audio_content), marks)

    def voices(self, api_key: str, language: str | None = None) -> list[Voice]:
        """What Google offers to this key, by id: all, or those of a language such as `en` or `en-GB`.

        Leaves out voices whose id names no language: they speak only with a model named beside them.
        """
        answer = self._call(
            api_key,
            lambda client: client.list_voices(language_code=language or "", retry=None, timeout=self._timeout_seconds),
        )
        voices = [voice for voice in map(_voice, answer.voices) if voice]
        return sorted(voices, key=lambda voice: voice.voice_id)

    def _call(self, api_key: str, call: "Callable[[google_speech.TextToSpeechClient], Answer]") -> Answer:
        if not SENDABLE_KEY.fullmatch(api_key):
            raise invalid_key("API_KEY_INVALID")
        try:
            return call(self._client(api_key))
        except call_failures() as error:
            fault = speech_error(error)
        # Outside of the except block, since the library's exceptions hold the request with the key in its headers.
        raise fault

    def _client(self, api_key: str) -> "google_speech.TextToSpeechClient":
        from google.api_core.client_options import ClientOptions
        from google.cloud import texttospeech_v1beta1 as google_speech

        name = hashlib.sha256(api_key.encode()).digest()
        with self._lock:
            self._clients.expire()
            client = self._clients.get(name)
            if client is None:
                options = ClientOptions(api_key=api_key, api_endpoint=self._endpoint)
                client = google_speech.TextToSpeechClient(transport="rest", client_options=options)
                self._clients[name] = client
            return client


def _message_of(request: SpeechRequest) -> "google_speech.SynthesizeSpeechRequest":
    from google.cloud import texttospeech_v1beta1 as google_speech

    ssml_mark = google_speech.SynthesizeSpeechRequest.TimepointType.SSML_MARK
    return google_speech.SynthesizeSpeechRequest(
        input=google_speech.SynthesisInput(**{"ssml" if request.is_ssml else "text": request.content}),
        voice=google_speech.VoiceSelectionParams(language_code=request.language_code, name=request.voice_id),
        audio_config=google_speech.AudioConfig(
            audio_encoding=google_speech.AudioEncoding.LINEAR16, sample_rate_hertz=SAMPLE_RATE_HZ
        ),
        enable_time_pointing=[ssml_mark] if request.is_ssml else [],
    )


def _samples(audio: bytes) -> bytes:
    """The samples in Google's WAV file; raises SpeechUnavailable for a broken file, AppError for another format."""
    try:
        with wave.open(io.BytesIO(audio), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            samples = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        raise SpeechUnavailable("Google Text-to-Speech sent audio that cannot be read; try again.") from None
    if form != (1, 2, SAMPLE_RATE_HZ):
        raise AppError(f"Google Text-to-Speech sent {form} instead of mono, 2 bytes, {SAMPLE_RATE_HZ} Hz.")
    return samples


def _voice(voice: "google_speech.Voice") -> Voice | None:
    """The voice in the language of its id, which is the first of those that it speaks."""
    language_code = voice_language_code(voice.name)
    if language_code is None:
        return None
    return Voice(
        voice_id=voice.name,
        language_code=language_code,
        gender=cast("Gender", voice.ssml_gender.name.removeprefix("SSML_VOICE_GENDER_")),
        family=voice_family(voice.name),
        natural_sample_rate_hz=voice.natural_sample_rate_hertz,
    )
