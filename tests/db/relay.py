"""A way to a server that can be cut off, so that the server seems to have stopped answering."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from urllib.parse import urlsplit

CHUNK_BYTES = 65536


class Relay:
    """Passes bytes between its own port and a server, until it falls silent and keeps every connection open."""

    def __init__(self, server_url: str) -> None:
        self._server = urlsplit(server_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self._is_silent = Event()

    @property
    def url(self) -> str:
        """The server's URL, by way of the relay."""
        credentials = self._server.netloc.rpartition("@")[0]
        host, port = self._listener.getsockname()
        return self._server._replace(netloc=f"{credentials}@{host}:{port}").geturl()

    def fall_silent(self) -> None:
        """Pass no byte on any more, of old connections or of new ones."""
        self._is_silent.set()

    def accept(self) -> None:
        """Serve connections until the relay is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._server.hostname, self._server.port))
                self._sockets += [client, server]
                Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                Thread(target=self._pass_on, args=(server, client), daemon=True).start()

    def close(self) -> None:
        """Close every connection; whoever waits on one wakes up."""
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if not self._is_silent.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(server_url: str) -> Iterator[Relay]:
    """A relay that is served by threads of its own."""
    relay = Relay(server_url)
    accepting = Thread(target=relay.accept)
    accepting.start()
    try:
        yield relay
    finally:
        relay.close()
        accepting.join()
