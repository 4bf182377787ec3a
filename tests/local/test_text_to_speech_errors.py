"""What our client of Text-to-Speech makes of every answer that is not speech, and that it keeps the key to itself."""

import logging
import socket
import traceback
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest

from shared.clients.text_to_speech import TextToSpeech
from shared.config import SpeechSettings
from shared.errors import (
    AppError,
    InvalidKey,
    QuotaExceeded,
    SpeechTimeout,
    SpeechUnavailable,
    TextTooLong,
    VoiceNotFound,
)
from shared.services.speech_input import speech_request
from tests.local.answers import answering, google_error, sending

SECRET = "AIzaSecretSecretSecret"
HELLO = speech_request("Hello there, you.", "en-US-Standard-C")
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def client_of(endpoint: str, timeout_seconds: float = 20) -> TextToSpeech:
    return TextToSpeech(SpeechSettings(tts_endpoint=endpoint, tts_timeout_seconds=timeout_seconds))


def failure(answer: tuple[int, object]) -> AppError:
    """What a synthesis raises that is answered so."""
    with answering(*answer) as endpoint, pytest.raises(AppError) as caught:
        client_of(endpoint).synthesize(SECRET, HELLO)
    return caught.value


class TestGooglesErrors:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (google_error(400, "API key not valid.", "API_KEY_INVALID"), "API_KEY_INVALID"),
            (google_error(400, "API key expired. Please renew the API key."), "API_KEY_INVALID"),
            (google_error(403, "It is disabled.", "SERVICE_DISABLED"), "SERVICE_DISABLED"),
            (google_error(403, "Requests are blocked.", "API_KEY_SERVICE_BLOCKED"), "API_KEY_SERVICE_BLOCKED"),
            (google_error(403, "Referer.", "API_KEY_HTTP_REFERRER_BLOCKED"), "API_KEY_HTTP_REFERRER_BLOCKED"),
            (google_error(403, "IP.", "API_KEY_IP_ADDRESS_BLOCKED"), "API_KEY_IP_ADDRESS_BLOCKED"),
            (google_error(403, "New.", "API_KEY_SOMETHING_NEW"), "API_KEY_SOMETHING_NEW"),
            (google_error(403, "Billing.", "BILLING_DISABLED"), "BILLING_DISABLED"),
            (google_error(429, "Billing.", "BILLING_DISABLED"), "BILLING_DISABLED"),
            (google_error(403, "Suspended.", "CONSUMER_SUSPENDED"), "CONSUMER_SUSPENDED"),
            (google_error(403, "The caller does not have permission"), "PERMISSION_DENIED"),
            (google_error(401, "Request had invalid credentials."), "PERMISSION_DENIED"),
        ],
    )
    def test_a_key_that_google_refuses_is_invalid(self, answer: tuple[int, Any], reason: str) -> None:
        error = failure(answer)
        assert isinstance(error, InvalidKey)
        assert error.details["reason"] == reason
        assert "Google Cloud" in error.details["hint"]

    @pytest.mark.parametrize(
        ("answer", "seconds"),
        [
            (google_error(429, "Quota.", None, {"@type": RETRY_INFO, "retryDelay": "7s"}), 7.0),
            (google_error(429, "Quota.", None, {"@type": RETRY_INFO, "retryDelay": "0.250s"}), 0.25),
            (google_error(429, "Quota.", "RATE_LIMIT_EXCEEDED"), None),
            (google_error(403, "Quota.", "RATE_LIMIT_EXCEEDED"), None),
            (google_error(429, "Quota.", None, {"@type": RETRY_INFO, "retryDelay": "soon"}), None),
            (google_error(429, "Quota.", None, {"@type": RETRY_INFO}), None),
        ],
    )
    def test_a_used_up_quota_is_passing(self, answer: tuple[int, Any], seconds: float | None) -> None:
        error = failure(answer)
        assert isinstance(error, QuotaExceeded)
        assert error.retry_after_seconds == seconds

    @pytest.mark.parametrize("message", ["It is longer than the limit of 5000 bytes.", "sentences that are too long."])
    def test_a_long_text_or_sentence_is_too_long(self, message: str) -> None:
        assert isinstance(failure(google_error(400, message)), TextTooLong)

    @pytest.mark.parametrize("message", ["Voice 'x' does not exist. Is it misspelled?", "No TTS voice matching."])
    def test_a_voice_that_is_gone_is_not_found(self, message: str) -> None:
        assert isinstance(failure(google_error(400, message)), VoiceNotFound)

    @pytest.mark.parametrize("status", [504, 408])
    def test_a_deadline_at_google_is_a_timeout(self, status: int) -> None:
        assert type(failure(google_error(status))) is SpeechTimeout

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_trouble_at_google_is_passing(self, status: int) -> None:
        assert type(failure(google_error(status))) is SpeechUnavailable

    @pytest.mark.parametrize("status", [400, 404, 412])
    def test_every_other_refusal_is_our_own_fault(self, status: int) -> None:
        assert type(failure(google_error(status, "Request contains an invalid argument."))) is AppError

    @pytest.mark.parametrize("status", [400, 403, 404, 500, 502, 503])
    @pytest.mark.parametrize(
        "body", ["", "<html>Bad Gateway</html>", "{", "[]", "[1]", '"no"', "{}", '{"error": "no"}', '{"error": {}}']
    )
    def test_an_error_page_that_is_not_googles_is_passing(self, status: int, body: str) -> None:
        assert type(failure((status, body))) is SpeechUnavailable


class TestBrokenAnswers:
    @pytest.mark.parametrize("body", ["", "no JSON", "[]", b"\xff\xfe", {"audioContent": "###"}])
    def test_an_answer_that_is_no_speech_is_passing(self, body: object) -> None:
        assert type(failure((200, body))) is SpeechUnavailable

    @pytest.mark.parametrize("audio", ["", "UklGRg==", "bm90IGEgd2F2IGZpbGU="])
    def test_audio_that_is_no_wav_is_passing(self, audio: str) -> None:
        assert type(failure((200, {"audioContent": audio}))) is SpeechUnavailable

    def test_nobody_there_is_passing(self) -> None:
        with closing(socket.socket()) as unused:
            unused.bind(("127.0.0.1", 0))
            speech = client_of(f"http://127.0.0.1:{unused.getsockname()[1]}")
            with pytest.raises(SpeechUnavailable):
                speech.synthesize(SECRET, HELLO)

    def test_an_unknown_host_is_passing(self) -> None:
        with pytest.raises(SpeechUnavailable):
            client_of("http://nowhere.invalid").synthesize(SECRET, HELLO)

    @pytest.mark.parametrize(
        ("sent", "error"),
        [
            (b"", SpeechTimeout),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", SpeechTimeout),
        ],
    )
    def test_an_answer_that_never_ends_is_a_timeout(self, sent: bytes, error: type[AppError]) -> None:
        with sending(sent, then_hang=True) as endpoint, pytest.raises(error):
            client_of(endpoint, timeout_seconds=0.3).synthesize(SECRET, HELLO)

    @pytest.mark.parametrize(
        "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"\x00\x01 nonsense\r\n\r\n"]
    )
    def test_a_connection_that_breaks_is_passing(self, sent: bytes) -> None:
        with sending(sent, then_hang=False) as endpoint, pytest.raises(SpeechUnavailable):
            client_of(endpoint).synthesize(SECRET, HELLO)


@pytest.mark.parametrize(
    "service",
    [
        answering(*google_error(400, "No.", "API_KEY_INVALID")),
        answering(*google_error(429)),
        answering(502, "<html>"),
        answering(200, {"audioContent": "###"}),
        sending(b"", then_hang=False),
        sending(b"", then_hang=True),
    ],
)
def test_no_error_holds_the_key(service: AbstractContextManager[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with service as endpoint, pytest.raises(AppError) as caught:
        client_of(endpoint, timeout_seconds=0.3).synthesize(SECRET, HELLO)
    error = caught.value
    # The libraries' own exceptions hold the request, and the request holds the key.
    assert isinstance(error.__context__, EOFError | None)
    assert SECRET not in "".join([*traceback.format_exception(error), repr(vars(error)), caplog.text])
