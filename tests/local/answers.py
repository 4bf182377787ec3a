"""Services that give one answer to everything, on a real wire."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def google_error(
    status: int, message: str = "No.", reason: str | None = None, *details: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """An error answer as Google words it."""
    info = [{"@type": ERROR_INFO, "reason": reason, "domain": "googleapis.com"}] if reason else []
    return status, {"error": {"code": status, "message": message, "details": [*info, *details]}}


@contextmanager
def answering(status: int, body: object) -> Iterator[str]:
    """The address of a service that answers everything so; bytes and text go out as they are, all else as JSON."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  the name is http.server's

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{service.server_port}"
        finally:
            service.shutdown()
            thread.join()


@contextmanager
def sending(content: bytes, *, then_hang: bool) -> Iterator[str]:
    """The address of a socket that reads a request, sends these bytes, and then hangs or hangs up."""
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not done.is_set():
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                link.recv(65_536)
                link.sendall(content)
                if then_hang:
                    done.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
