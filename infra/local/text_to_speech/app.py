"""The REST methods of Text-to-Speech v1beta1: https://cloud.google.com/text-to-speech/docs/reference/rest."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from flask import Flask, Request, Response, jsonify, request
from google.cloud import texttospeech_v1beta1 as google_speech
from google.protobuf.json_format import MessageToDict, ParseError
from werkzeug.exceptions import HTTPException

from infra.local.text_to_speech import faults
from infra.local.text_to_speech.espeak import espeak
from infra.local.text_to_speech.faults import GoogleFault
from infra.local.text_to_speech.keys import KeyGate, kind_of
from infra.local.text_to_speech.settings import LocalSpeechSettings
from infra.local.text_to_speech.synthesis import synthesize
from infra.local.text_to_speech.voices import NATURAL_SAMPLE_RATE_HZ, VOICES, LocalVoice

REMEMBERED_REQUESTS = 10_000
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that was received, whatever became of it; of its key, only what decides how it behaves."""

    key_kind: str
    method: str
    path: str
    body: Any


class TextToSpeechApp:
    """The WSGI application. `close` ends all waiting."""

    def __init__(self, settings: LocalSpeechSettings) -> None:
        self._closing = Event()
        self._gate = KeyGate(settings, self._closing)
        self._latency_seconds = settings.local_tts_latency_ms / 1000
        self._requests: deque[RecordedRequest] = deque(maxlen=REMEMBERED_REQUESTS)
        espeak()
        self._flask = Flask(__name__)
        self._flask.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
        self._flask.before_request(self._receive)
        self._flask.register_error_handler(GoogleFault, _refusal)
        self._flask.register_error_handler(HTTPException, _http_refusal)
        self._flask.add_url_rule("/v1beta1/voices", view_func=self._voices, methods=["GET"])
        self._flask.add_url_rule("/v1beta1/text:synthesize", view_func=self._synthesize, methods=["POST"])
        self.wsgi_app = self._flask.wsgi_app

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """The last requests, oldest first."""
        return tuple(self._requests)

    def close(self) -> None:
        """Let whoever waits go on at once."""
        self._closing.set()

    def _receive(self) -> None:
        key = _key_of(request)
        body = request.get_json(force=True, silent=True) if request.method == "POST" else None
        self._requests.append(RecordedRequest(kind_of(key), request.method, request.path, body))
        self._gate.admit(key)

    def _voices(self) -> Response:
        language = request.args.get("languageCode", "").lower()
        voices = [_listed(voice) for voice in VOICES if _speaks(voice, language)]
        return jsonify(_json(google_speech.ListVoicesResponse(voices=voices)))

    def _synthesize(self) -> Response:
        self._closing.wait(self._latency_seconds)
        try:
            message = google_speech.SynthesizeSpeechRequest.from_json(request.get_data(as_text=True) or "{}")
        except ParseError as error:
            raise faults.invalid_json(str(error)) from None
        return jsonify(_json(synthesize(message)))


def _key_of(incoming: Request) -> str | None:
    return incoming.headers.get("x-goog-api-key") or incoming.args.get("key")


def _speaks(voice: LocalVoice, language: str) -> bool:
    code = voice.language_code.lower()
    return code == language or code.startswith(f"{language}-") or not language


def _listed(voice: LocalVoice) -> google_speech.Voice:
    return google_speech.Voice(
        language_codes=[voice.language_code],
        name=voice.name,
        ssml_gender=voice.gender,
        natural_sample_rate_hertz=NATURAL_SAMPLE_RATE_HZ,
    )


def _json(message: Any) -> dict[str, Any]:
    """The JSON of a proto-plus message, as Google words it."""
    return MessageToDict(type(message).pb(message))


def _refusal(fault: GoogleFault) -> tuple[Response, int]:
    return jsonify(fault.body()), fault.code


def _http_refusal(error: HTTPException) -> tuple[Response, int]:
    if error.code == 413:
        return _refusal(faults.invalid_argument("Request payload size exceeds the limit."))
    return _refusal(faults.not_found())
