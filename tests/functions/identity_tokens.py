"""The tokens that deliveries of the local Cloud Tasks server bring, taken from a delivery."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

from google.cloud.tasks_v2 import CloudTasksClient, HttpRequest, OidcToken, Task

from infra.local.stack import TASKS_LOCATION

DELIVERY_SECONDS = 10


@dataclass(frozen=True)
class TokenOffice:
    """Gives away a token for any service account and audience, as Google's servers would sign it."""

    client: CloudTasksClient
    url: str
    delivered: Queue[str]

    def token(self, email: str, audience: str) -> str:
        """The token that a task of this service account brings to this audience."""
        oidc_token = OidcToken(service_account_email=email, audience=audience)
        task = Task(http_request=HttpRequest(url=self.url, oidc_token=oidc_token))
        self.client.create_task(parent=f"{TASKS_LOCATION}/queues/sweep", task=task)
        return self.delivered.get(timeout=DELIVERY_SECONDS).removeprefix("Bearer ")


@contextmanager
def token_office(client: CloudTasksClient) -> Iterator[TokenOffice]:
    """Take deliveries on loopback."""
    delivered: Queue[str] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            delivered.put(self.headers["Authorization"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield TokenOffice(client, f"http://127.0.0.1:{server.server_port}", delivered)
        finally:
            server.shutdown()
            thread.join()
