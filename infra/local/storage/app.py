"""Both APIs as one WSGI app."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from infra.local.storage.batches import answer_batch
from infra.local.storage.buckets import Buckets
from infra.local.storage.json_api import JsonApi
from infra.local.storage.xml_api import XmlApi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON_API_PATHS = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/")
BATCH_PATH = "/batch/storage/v1"


def utc_now() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


class StorageApp:
    """The buckets under `root`, which belong to it until it is closed; `buckets` are created if they are missing.

    `hmac_keys` are the secrets of those who may sign URLs, by access id. `now` is the clock that signed URLs are held
    against. Raises DirectoryInUse where another server has `root`.
    """

    def __init__(
        self,
        *,
        root: Path,
        buckets: Iterable[str] = (),
        hmac_keys: Mapping[str, str],
        cors_origins: Collection[str] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._buckets = Buckets(root, now)
        for name in buckets:
            self._buckets.ensure(name)
        self._json_api = JsonApi(self._buckets)
        self._xml_api = XmlApi(self._buckets, hmac_keys, cors_origins, now)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """PEP 3333; the server has to give `REQUEST_URI`, as waitress does."""
        return self._answer(Request(environ))(environ, start_response)

    def close(self) -> None:
        """Let another server use the directory."""
        self._buckets.close()

    def _answer(self, request: Request) -> Response:
        path = _path_as_sent(request)
        if path == BATCH_PATH:
            return answer_batch(self._json_api, request)
        if path.startswith(JSON_API_PATHS):
            return self._json_api.answer(request, path)
        return self._xml_api.answer(request, path)


def _path_as_sent(request: Request) -> str:
    """The percent-encoded path, in which a slash (`/`) and a slash of an object's name (`%2F`) differ."""
    target = str(request.environ["REQUEST_URI"]).partition("?")[0]
    return target if target.startswith("/") else urlsplit(target).path
