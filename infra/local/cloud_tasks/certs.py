"""The key set on a port of its own."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server


class CertsServer:
    """Serves from the start; close it. Raises `OSError` if the port is taken."""

    def __init__(self, host: str, port: int, jwks: Callable[[], dict[str, Any]]) -> None:
        app = Flask(__name__)
        app.add_url_rule("/certs", "certs", jwks)
        listener = socket.create_server((host, port))  # before waitress starts threads that a taken port would leave
        self._sockets: dict[int, Any] = {}
        self._server = create_server(app, map=self._sockets, sockets=[listener], threads=2)
        self.url = f"http://{host}:{self._server.effective_port}/certs"
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, name="certs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._is_closed = True
        self._server.pull_trigger()
        self._thread.join()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)

    def _serve(self) -> None:
        while not self._is_closed:
            wasyncore.loop(timeout=1, map=self._sockets, count=1)
