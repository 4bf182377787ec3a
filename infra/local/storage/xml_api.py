"""The XML API, as far as signed URLs need it: GET and HEAD of an object, CORS for the web app.

https://cloud.google.com/storage/docs/xml-api/get-object-download
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from werkzeug.wrappers import Request, Response

from infra.local.storage.buckets import Buckets
from infra.local.storage.downloads import download
from infra.local.storage.errors import Forbidden, NoSuchAddress, StorageError, xml_error
from infra.local.storage.json_api import decode
from infra.local.storage.signed_urls import SignedRequest, verify

METHODS = ("GET", "HEAD")
EXPOSED_HEADERS = "Accept-Ranges, Content-Length, Content-Range, ETag"
ALLOWED_HEADERS = "If-None-Match, If-Range, Range"
PREFLIGHT_SECONDS = 3600


class XmlApi:
    """Answers requests for /bucket/object, to whoever brings a signed URL and to nobody else."""

    def __init__(
        self,
        buckets: Buckets,
        hmac_keys: Mapping[str, str],
        cors_origins: Collection[str],
        now: Callable[[], datetime],
    ) -> None:
        self._buckets = buckets
        self._hmac_keys = hmac_keys
        self._cors_origins = frozenset(cors_origins)
        self._now = now

    def answer(self, request: Request, path: str) -> Response:
        """The answer to a request for a percent-encoded path; every refusal is in it."""
        response = self._preflight(request) if request.method == "OPTIONS" else self._get_object(request, path)
        response.vary.add("Origin")
        if self._is_of_app(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        return response

    def _get_object(self, request: Request, path: str) -> Response:
        try:
            bucket, name = self._authorize(request, path)
            metadata, data = self._buckets.get(bucket).read(name)
            return download(request, metadata, data, b64decode(metadata.md5_hash).hex())
        except StorageError as error:
            return xml_error(error)

    def _authorize(self, request: Request, path: str) -> tuple[str, str]:
        """The bucket and the name of the object that may be read; raises as `verify` does, and NoSuchAddress."""
        bucket, _, name = decode(path).removeprefix("/").partition("/")
        if not bucket or not name:
            raise NoSuchAddress
        query = request.query_string.decode("latin-1")
        verify(SignedRequest(request.method, bucket, name, query, request.headers), self._hmac_keys, self._now())
        if request.method not in METHODS:
            raise Forbidden(details="The signing account may only read objects.")
        return bucket, name

    def _preflight(self, request: Request) -> Response:
        """https://cloud.google.com/storage/docs/cross-origin: an origin that is not the app's gets no CORS header."""
        response = Response()
        if self._is_of_app(request) and request.headers.get("Access-Control-Request-Method") in METHODS:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
            response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response

    def _is_of_app(self, request: Request) -> bool:
        return request.headers.get("Origin") in self._cors_origins
