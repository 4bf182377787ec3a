"""Every refusal, in one tree; each knows its status, its reason in the JSON API and its code in the XML API.

    StorageError
    ├── InvalidRequest          400 invalid                         InvalidArgument
    │   ├── ExpiredToken        400                                 ExpiredToken
    │   └── MalformedHeader     400                                 MalformedSecurityHeader
    ├── Forbidden               403 forbidden                       AccessDenied
    │   ├── SignatureMismatch   403                                 SignatureDoesNotMatch
    │   ├── UnknownAccessId     403                                 InvalidSecurity
    │   └── ClockSkew           403                                 RequestTimeTooSkewed
    ├── NoSuchBucket            404 notFound                        NoSuchBucket
    ├── NoSuchObject            404 notFound                        NoSuchKey
    ├── NoSuchUpload            404 notFound                        NoSuchUpload
    ├── NoSuchAddress           404 notFound                        NotFound
    ├── MethodNotAllowed        405 methodNotAllowed                MethodNotAllowed
    ├── BucketExists            409 conflict                        BucketAlreadyOwnedByYou
    ├── PreconditionFailed      412 conditionNotMet                 PreconditionFailed
    │   └── NotModified         412, and 304 where an object is read
    └── RangeNotSatisfiable     416 requestedRangeNotSatisfiable    InvalidRange

JSON bodies: https://cloud.google.com/storage/docs/json_api/v1/status-codes
XML bodies: https://cloud.google.com/storage/docs/xml-api/reference-status
"""

from typing import ClassVar
from xml.sax.saxutils import escape

import orjson
from werkzeug.wrappers import Response


class StorageError(Exception):
    """A request that is refused; the docstring of a class is its message, `details` go only into XML bodies."""

    status: ClassVar[int]
    reason: ClassVar[str]
    code: ClassVar[str]

    def __init__(self, message: str | None = None, *, details: str = "", **elements: str) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        self.elements = elements
        self.headers: dict[str, str] = {}
        super().__init__(self.message)


class InvalidRequest(StorageError):
    """Invalid argument."""

    status, reason, code = 400, "invalid", "InvalidArgument"


class ExpiredToken(InvalidRequest):
    """Invalid argument."""

    code = "ExpiredToken"


class MalformedHeader(InvalidRequest):
    """Invalid argument."""

    code = "MalformedSecurityHeader"


class Forbidden(StorageError):
    """Access denied."""

    status, reason, code = 403, "forbidden", "AccessDenied"


class SignatureMismatch(Forbidden):
    """Access denied."""

    code = "SignatureDoesNotMatch"


class UnknownAccessId(Forbidden):
    """The provided security credentials are not valid."""

    code = "InvalidSecurity"


class ClockSkew(Forbidden):
    """The difference between the request time and the server's time is too large."""

    code = "RequestTimeTooSkewed"


class NoSuchBucket(StorageError):
    """The specified bucket does not exist."""

    status, reason, code = 404, "notFound", "NoSuchBucket"


class NoSuchObject(StorageError):
    """The specified key does not exist."""

    status, reason, code = 404, "notFound", "NoSuchKey"


class NoSuchUpload(StorageError):
    """The requested upload was not found."""

    status, reason, code = 404, "notFound", "NoSuchUpload"


class NoSuchAddress(StorageError):
    """Not Found"""

    status, reason, code = 404, "notFound", "NotFound"


class MethodNotAllowed(StorageError):
    """The specified method is not allowed against this resource."""

    status, reason, code = 405, "methodNotAllowed", "MethodNotAllowed"


class BucketExists(StorageError):
    """Your previous request to create the named bucket succeeded and you already own it."""

    status, reason, code = 409, "conflict", "BucketAlreadyOwnedByYou"


class PreconditionFailed(StorageError):
    """At least one of the pre-conditions you specified did not hold."""

    status, reason, code = 412, "conditionNotMet", "PreconditionFailed"


class NotModified(PreconditionFailed):
    """At least one of the pre-conditions you specified did not hold."""


class RangeNotSatisfiable(StorageError):
    """The requested range cannot be satisfied."""

    status, reason, code = 416, "requestedRangeNotSatisfiable", "InvalidRange"

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self.headers["Content-Range"] = f"bytes */{size_bytes}"


def json_error(error: StorageError) -> Response:
    """The refusal as the JSON API words it."""
    cause = {"message": error.message, "domain": "global", "reason": error.reason}
    body = {"error": {"code": error.status, "message": error.message, "errors": [cause]}}
    return Response(orjson.dumps(body), error.status, error.headers, content_type="application/json; charset=UTF-8")


def xml_error(error: StorageError) -> Response:
    """The refusal as the XML API words it."""
    elements = {"Code": error.code, "Message": error.message, "Details": error.details, **error.elements}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items() if text)
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}</Error>"
    return Response(body, error.status, error.headers, content_type="application/xml; charset=UTF-8")
