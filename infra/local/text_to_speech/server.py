"""The Text-to-Speech server inside another process, such as a test's."""

import threading
from collections.abc import Sequence
from typing import Any, Self

from waitress import wasyncore

from infra.local.process import loopback_server
from infra.local.text_to_speech.app import RecordedRequest, TextToSpeechApp
from infra.local.text_to_speech.settings import LocalSpeechSettings

HOST = "127.0.0.1"
# Whoever calls with an AIzaSlow key holds a thread for a minute; others shall hardly notice.
THREADS = 64
WAKE_SECONDS = 1


class TextToSpeechServer:
    """Serves on a loopback port for the length of a `with` block. Port 0 takes a free one."""

    def __init__(self, settings: LocalSpeechSettings | None = None, *, port: int = 0) -> None:
        self._app = TextToSpeechApp(settings or LocalSpeechSettings())
        self._sockets: dict[int, Any] = {}
        self._server = loopback_server(self._app.wsgi_app, port, THREADS, map=self._sockets)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="local-text-to-speech")

    @property
    def endpoint(self) -> str:
        """Its address, for `TTS_ENDPOINT`."""
        return f"http://{HOST}:{self._server.effective_port}"

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """The last requests, oldest first."""
        return self._app.requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End all waiting, finish the requests that are being answered, close every connection."""
        self._app.close()
        self._server.task_dispatcher.shutdown()
        self._closing.set()
        self._server.pull_trigger()
        self._thread.join()
        wasyncore.close_all(self._sockets)

    def _serve(self) -> None:
        """Waitress itself serves until the process ends: it cannot be closed safely while its loop is running."""
        while not self._closing.is_set():
            wasyncore.loop(timeout=WAKE_SECONDS, map=self._sockets, count=1)
