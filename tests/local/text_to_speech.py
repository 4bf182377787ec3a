"""What the tests of the local Text-to-Speech have in common: calls of Google's client, and ears."""

import io
import json
import operator
import wave
from array import array
from typing import Any

import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import texttospeech_v1beta1 as google_speech

from infra.local.text_to_speech import TextToSpeechServer

PHRASE = {
    "de": "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg.",
    "en": "The quick brown fox jumps over the lazy dog.",
    "pl": "Zażółć gęślą jaźń, miły panie.",
}
LINEAR16 = {"audioEncoding": "LINEAR16"}


def google_client(server: TextToSpeechServer, key: str = "AIzaLocal") -> google_speech.TextToSpeechClient:
    options = ClientOptions(api_key=key, api_endpoint=server.endpoint)
    return google_speech.TextToSpeechClient(transport="rest", client_options=options)


def synthesize(
    server: TextToSpeechServer,
    *,
    text: str | None = None,
    ssml: str | None = None,
    voice: str = "en-US-Standard-C",
    encoding: str = "LINEAR16",
    key: str = "AIzaLocal",
    language_code: str | None = None,
    **config: Any,
) -> google_speech.SynthesizeSpeechResponse:
    request = {
        "input": {"ssml": ssml} if ssml is not None else {"text": text},
        "voice": {"language_code": language_code or voice[:5], "name": voice},
        "audio_config": {"audio_encoding": encoding, **config},
        "enable_time_pointing": ["SSML_MARK"] if ssml else [],
    }
    return google_client(server, key).synthesize_speech(request, retry=None, timeout=20)


def refusal(server: TextToSpeechServer, **arguments: Any) -> GoogleAPICallError:
    with pytest.raises(GoogleAPICallError) as caught:
        synthesize(server, **arguments)
    return caught.value


def post(server: TextToSpeechServer, body: Any) -> requests.Response:
    data = body if isinstance(body, str) else json.dumps(body)
    url = f"{server.endpoint}/v1beta1/text:synthesize"
    return requests.post(url, data=data, headers={"x-goog-api-key": "AIzaLocal"}, timeout=5)


def samples_of(audio: bytes) -> tuple[int, "array[int]"]:
    """The rate of a WAV file, and its samples."""
    with wave.open(io.BytesIO(audio), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), array("h", file.readframes(file.getnframes()))


def seconds_of(audio: bytes) -> float:
    rate, samples = samples_of(audio)
    return len(samples) / rate


def pitch_hz(samples: "array[int]", rate: int) -> float:
    """The median over the loudest windows of the lag at which a window is most like itself."""
    size = rate // 20
    windows = [samples[start : start + 2 * size] for start in range(0, len(samples) - 2 * size, size)]
    loudest = sorted(windows, key=lambda window: -sum(map(abs, window)))[:7]
    lags = sorted(
        max(range(rate // 400, rate // 70, 2), key=lambda lag: sum(map(operator.mul, window[lag::4], window[::4])))
        for window in loudest
    )
    return rate / lags[len(lags) // 2]
