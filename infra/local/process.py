"""How a part of the local system lives as a process: it says when it is ready and dies with whoever started it."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from waitress.server import create_server

IN_MEMORY_BYTES = 32 * 1024 * 1024


def announce(**addresses: str) -> None:
    """Tell the parent, in one line of JSON on stdout, that this part serves, and where."""
    print(json.dumps({"ready": True, **addresses}), flush=True)


def stop_with_parent(stop: Callable[[], None] = lambda: os._exit(0)) -> None:
    """Call `stop` once stdin closes, which happens however the parent ends, `kill -9` included."""

    def wait() -> None:
        sys.stdin.buffer.read()
        stop()

    threading.Thread(target=wait, name="stop-with-parent", daemon=True).start()


def loopback_server(app: WSGIApplication, port: int, threads: int, **options: Any) -> Any:
    """A waitress server that listens on loopback; `options` are waitress's.

    Clips stay in memory on their way: waitress never closes the temporary files it would put them into.
    """
    in_memory = {"inbuf_overflow": IN_MEMORY_BYTES, "outbuf_overflow": IN_MEMORY_BYTES}
    return create_server(app, host="127.0.0.1", port=port, threads=threads, ident="audio-loop", **in_memory, **options)


def serve_wsgi(app: WSGIApplication, port: int, threads: int, ready: Callable[[str], None]) -> None:
    """Serve on loopback until the parent ends; `ready` is told the URL. Port 0 takes a free one."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits for a thread is no news
    server = loopback_server(app, port, threads)
    stop_with_parent()
    ready(f"http://127.0.0.1:{server.effective_port}")
    server.run()
