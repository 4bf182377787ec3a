"""Uploads of objects: in one request (media, multipart) or in several (resumable).

https://cloud.google.com/storage/docs/uploads-downloads and https://cloud.google.com/storage/docs/resumable-uploads
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Any
from uuid import uuid4

import orjson
from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request, Response

from infra.local.storage.buckets import Bucket
from infra.local.storage.errors import InvalidRequest, NoSuchUpload
from infra.local.storage.objects import EditableMetadata, ObjectMetadata, checksums
from infra.local.storage.preconditions import Preconditions

CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<total>\d+|\*)")
CANCELED = 499
"""What Google answers where a resumable upload is canceled."""


def parse_json(data: bytes) -> dict[str, Any]:
    """The JSON object in a body, empty for an empty body; raises InvalidRequest."""
    try:
        resource = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError:
        raise InvalidRequest("Parse Error") from None
    if not isinstance(resource, dict):
        raise InvalidRequest("Parse Error")
    return resource


def upload_media(bucket: Bucket, request: Request) -> ObjectMetadata:
    """Store a body that is nothing but the bytes; raises InvalidRequest and PreconditionFailed."""
    return _store(bucket, {}, request.content_type, request.get_data(), request.args, request.headers)


def upload_multipart(bucket: Bucket, request: Request) -> ObjectMetadata:
    """Store a multipart/related body: the resource as JSON, then the bytes; raises as `upload_media` does."""
    (_, resource), (content_type, data) = _split_related(request.content_type or "", request.get_data())
    return _store(bucket, parse_json(resource), content_type, data, request.args, request.headers)


@dataclass
class ResumableUpload:
    """An upload in several requests; `stored` once it is complete."""

    bucket: Bucket
    resource: dict[str, Any]
    content_type: str | None
    query: dict[str, str]
    data: bytearray = field(default_factory=bytearray)
    stored: ObjectMetadata | None = None
    lock: Lock = field(default_factory=Lock)


class ResumableUploads:
    """Uploads that were begun; they are kept in memory, so that the client begins again after a restart."""

    def __init__(self) -> None:
        self._uploads: dict[str, ResumableUpload] = {}

    def start(self, bucket: Bucket, request: Request) -> str:
        """The id of a new upload; raises PreconditionFailed early where it could not be stored anyway."""
        resource = parse_json(request.get_data())
        name = _object_name(resource, request.args)
        Preconditions.of(request.args).check(next(iter(bucket.describe_those_left([name])), None))
        upload_id = uuid4().hex
        content_type = request.headers.get("X-Upload-Content-Type")
        self._uploads[upload_id] = ResumableUpload(bucket, resource, content_type, request.args.to_dict())
        return upload_id

    def append(self, upload_id: str, request: Request) -> ObjectMetadata | Response:
        """The object once the last byte is here, else 308 with the range of bytes that are.

        A chunk that does not continue where the last ended changes nothing. Raises NoSuchUpload, InvalidRequest and
        PreconditionFailed.
        """
        upload = self._get(upload_id)
        data = request.get_data()
        with upload.lock:
            if upload.stored:
                return upload.stored
            if not _append(upload, data, request.headers.get("Content-Range")):
                return _incomplete(len(upload.data))
            stored = _store(
                upload.bucket,
                upload.resource,
                upload.content_type,
                bytes(upload.data),
                upload.query,
                request.headers,
            )
            upload.stored, upload.data = stored, bytearray()
            return stored

    def cancel(self, upload_id: str) -> Response:
        """Forget an upload; raises NoSuchUpload."""
        self._get(upload_id)
        self._uploads.pop(upload_id, None)
        return Response(status=CANCELED)

    def _get(self, upload_id: str) -> ResumableUpload:
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise NoSuchUpload
        return upload


def _append(upload: ResumableUpload, data: bytes, content_range: str | None) -> bool:
    """Take a chunk in; whether the upload is complete. Raises InvalidRequest."""
    if content_range is None:
        upload.data[:] = data
        return True
    parts = CONTENT_RANGE.fullmatch(content_range)
    if not parts:
        raise InvalidRequest(f"Failed to parse Content-Range header: {content_range}")
    if parts["first"] is not None:
        if len(data) != int(parts["last"]) - int(parts["first"]) + 1:
            raise InvalidRequest("The body is not as long as Content-Range says.")
        if int(parts["first"]) == len(upload.data):
            upload.data += data
    return parts["total"] != "*" and len(upload.data) == int(parts["total"])


def _incomplete(size_bytes: int) -> Response:
    headers = {"Range": f"bytes=0-{size_bytes - 1}"} if size_bytes else {}
    return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers=headers)


def _store(
    bucket: Bucket,
    resource: dict[str, Any],
    content_type: str | None,
    data: bytes,
    query: Mapping[str, str],
    headers: Headers,
) -> ObjectMetadata:
    _check_digests(resource, headers, data)
    editable = EditableMetadata.parse({"contentType": content_type, **resource})
    return bucket.put(_object_name(resource, query), data, editable, Preconditions.of(query))


def _object_name(resource: Mapping[str, Any], query: Mapping[str, str]) -> str:
    name = resource.get("name") or query.get("name")
    if not isinstance(name, str):
        raise InvalidRequest("Required object name")
    return name


def _check_digests(resource: Mapping[str, Any], headers: Headers, data: bytes) -> None:
    """Compare with what the client says in the resource, in X-Goog-Hash and in Content-MD5."""
    announced = dict(part.strip().partition("=")[::2] for part in headers.get("X-Goog-Hash", "").split(","))
    actual = checksums(data)
    for given in (resource.get("md5Hash"), announced.get("md5"), headers.get("Content-MD5")):
        if given and given != actual["md5_hash"]:
            raise InvalidRequest(f"Provided MD5 hash {given!r} doesn't match calculated MD5 hash.")
    for given in (resource.get("crc32c"), announced.get("crc32c")):
        if given and given != actual["crc32c"]:
            raise InvalidRequest(f"Provided CRC32C {given!r} doesn't match calculated CRC32C.")


def _split_related(content_type: str, body: bytes) -> list[tuple[str | None, bytes]]:
    """The content type and the bytes of each of the two parts (RFC 2387); raises InvalidRequest.

    The standard library's parser is made for mail and changes line ends in binary parts.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if not boundary or len(pieces) != 4 or not pieces[3].startswith(b"--"):
        raise InvalidRequest("Malformed multipart body.")
    return [_parse_part(piece) for piece in pieces[1:3]]


def _parse_part(piece: bytes) -> tuple[str | None, bytes]:
    head, _, content = piece.partition(b"\r\n\r\n")
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-type":
            return value.strip(), content
    return None, content
