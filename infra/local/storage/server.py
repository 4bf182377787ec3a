"""The storage server inside another process, such as a test's."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from waitress import wasyncore

from infra.local.process import loopback_server
from infra.local.storage.app import StorageApp, utc_now

HOST = "127.0.0.1"
THREADS = 16
WAKE_SECONDS = 1


class StorageServer:
    """Serves a StorageApp, whose arguments it takes, on a loopback port for the length of a `with` block."""

    def __init__(
        self,
        *,
        root: Path,
        buckets: Iterable[str] = (),
        hmac_keys: Mapping[str, str],
        cors_origins: Collection[str] = (),
        now: Callable[[], datetime] = utc_now,
        port: int = 0,
    ) -> None:
        self._app = StorageApp(root=root, buckets=buckets, hmac_keys=hmac_keys, cors_origins=cors_origins, now=now)
        self._sockets: dict[int, Any] = {}
        self._server = loopback_server(self._app, port, THREADS, map=self._sockets)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="local-storage")

    @property
    def url(self) -> str:
        """Its address, for `STORAGE_EMULATOR_HOST` and as the origin of signed URLs."""
        return f"http://{HOST}:{self._server.effective_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the requests that are being answered, close every connection, let go of the directory."""
        self._server.task_dispatcher.shutdown()
        self._closing.set()
        self._server.pull_trigger()
        self._thread.join()
        wasyncore.close_all(self._sockets)
        self._app.close()

    def _serve(self) -> None:
        """Waitress itself serves until the process ends: it cannot be closed safely while its loop is running."""
        while not self._closing.is_set():
            wasyncore.loop(timeout=WAKE_SECONDS, map=self._sockets, count=1)
