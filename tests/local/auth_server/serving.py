"""An auth server for a test, served as the gateway serves it, with the clock it goes by and the official client."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from supabase import Client, ClientOptions, create_client
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from infra.local.auth import AuthServer, anon_key, service_key

APP_ORIGIN = "http://127.0.0.1:4321"
PASSWORD = "correct horse battery"


class Clock:
    """Goes on only when a test moves it; it starts a little in the past, so that no token is issued in the future."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) - timedelta(minutes=5)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Served:
    """An auth server and how to reach it."""

    server: AuthServer
    public_url: str
    keys: Path
    clock: Clock
    clients: ExitStack

    @property
    def url(self) -> str:
        """Where the protocol's endpoints are."""
        return f"{self.public_url}/auth/v1"

    def client(self) -> Client:
        """The official client, as an app uses it."""
        return self._client(anon_key(self.keys, self.public_url))

    def admin(self) -> Client:
        """The official client, as our functions use it."""
        return self._client(service_key(self.keys, self.public_url))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of an access token, verified with the published keys."""
        keys = jwt.PyJWKClient(f"{self.url}/.well-known/jwks.json")
        claims: dict[str, Any] = jwt.decode(
            token, keys.get_signing_key_from_jwt(token), algorithms=["ES256"], audience="authenticated", issuer=self.url
        )
        return claims

    def _client(self, key: str) -> Client:
        http = self.clients.enter_context(httpx.Client(timeout=10))
        return create_client(self.public_url, key, ClientOptions(auto_refresh_token=False, httpx_client=http))


@contextmanager
def serving(database_url: str, keys: Path) -> Iterator[Served]:
    """Serve on a free loopback port."""
    clock = Clock()
    gateway = DispatcherMiddleware(NotFound(), {})
    with (
        listening(gateway) as public_url,
        ExitStack() as clients,
        AuthServer(database_url, keys, public_url, [APP_ORIGIN], clock) as server,
    ):
        gateway.mounts["/auth/v1"] = server.app
        yield Served(server, public_url, keys, clock, clients)


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """A real WSGI server; the URL it answers at."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join()


def refused(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return response.status_code, response.json()["error_code"]


def bearer(token: str) -> dict[str, str]:
    """The headers of whoever holds the token."""
    return {"Authorization": f"Bearer {token}"}
