"""The bytes of an object as both APIs answer them, whole or a range."""

import string
from datetime import UTC
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from infra.local.storage.errors import RangeNotSatisfiable
from infra.local.storage.objects import ObjectMetadata

PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "
DEFAULT_CACHE_CONTROL = "private, max-age=0"


def download(request: Request, metadata: ObjectMetadata, data: bytes, etag: str) -> Response:
    """200, 206 for one satisfiable range, 304 and 412 as If-None-Match and the like want it.

    A range that is malformed or one of several is answered with the whole object, as RFC 9110 14.2 allows.
    Raises RangeNotSatisfiable.
    """
    response = Response(data, content_type=metadata.content_type or "application/octet-stream")
    _describe(response, metadata)
    response.set_etag(etag)
    environ = dict(request.environ)
    requested = request.range
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        environ.pop("HTTP_RANGE", None)
    elif requested.range_for_length(metadata.size) is None:
        raise RangeNotSatisfiable(metadata.size)
    return response.make_conditional(environ, accept_ranges=True, complete_length=metadata.size)


def _describe(response: Response, metadata: ObjectMetadata) -> None:
    """https://cloud.google.com/storage/docs/xml-api/reference-headers"""
    response.last_modified = metadata.updated.astimezone(UTC)
    response.headers["Cache-Control"] = metadata.cache_control or DEFAULT_CACHE_CONTROL
    response.headers["X-Goog-Generation"] = str(metadata.generation)
    response.headers["X-Goog-Metageneration"] = str(metadata.metageneration)
    response.headers["X-Goog-Hash"] = f"crc32c={metadata.crc32c},md5={metadata.md5_hash}"
    response.headers["X-Goog-Stored-Content-Length"] = str(metadata.size)
    response.headers["X-Goog-Storage-Class"] = "STANDARD"
    response.headers["X-Goog-Stored-Content-Encoding"] = metadata.content_encoding or "identity"
    for name in ("content_encoding", "content_disposition", "content_language"):
        value = getattr(metadata, name)
        if value:
            response.headers[name.replace("_", "-")] = value
    for name, value in (metadata.metadata or {}).items():
        response.headers[f"X-Goog-Meta-{quote(name)}"] = quote(value, safe=PRINTABLE)
