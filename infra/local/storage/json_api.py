"""The JSON API, as far as google-cloud-storage needs it: https://cloud.google.com/storage/docs/json_api/v1

It asks for no credentials: with `STORAGE_EMULATOR_HOST` the client sends none.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import orjson
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from infra.local.storage import uploads
from infra.local.storage.buckets import Buckets
from infra.local.storage.downloads import download
from infra.local.storage.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NoSuchAddress,
    NotModified,
    StorageError,
    json_error,
)
from infra.local.storage.listings import ListingQuery, list_page
from infra.local.storage.objects import EditableMetadata, ObjectMetadata
from infra.local.storage.preconditions import Preconditions

BUCKET = "/storage/v1/b/<bucket>"
OBJECT = BUCKET + "/o/<name>"
UPLOAD = "/upload" + BUCKET + "/o"


class JsonApi:
    """Answers requests whose path begins with /storage/v1, /upload or /download."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._uploads = uploads.ResumableUploads()
        self._routes = Map(self._rules(), merge_slashes=False).bind("storage")

    def answer(self, request: Request, path: str) -> Response:
        """The answer to a request for a percent-encoded path; every refusal is in it."""
        try:
            view, names = self._route(request.method, path)
            return view(request, **names)
        except StorageError as error:
            return json_error(error)

    def _rules(self) -> list[Rule]:
        """For paths as they are sent: a slash in an object's name is `%2F`."""
        return [
            Rule("/storage/v1/b", methods=["POST"], endpoint=self._create_bucket),
            Rule(BUCKET, methods=["GET"], endpoint=self._get_bucket),
            Rule(BUCKET + "/o", methods=["GET"], endpoint=self._list_objects),
            Rule(OBJECT, methods=["GET"], endpoint=self._get_object),
            Rule(OBJECT, methods=["PATCH"], endpoint=self._patch_object),
            Rule(OBJECT, methods=["PUT"], endpoint=self._update_object),
            Rule(OBJECT, methods=["DELETE"], endpoint=self._delete_object),
            Rule("/download" + OBJECT, methods=["GET"], endpoint=self._download_object),
            Rule(OBJECT + "/copyTo/b/<to_bucket>/o/<to_name>", methods=["POST"], endpoint=self._copy_object),
            Rule(OBJECT + "/rewriteTo/b/<to_bucket>/o/<to_name>", methods=["POST"], endpoint=self._rewrite_object),
            Rule(UPLOAD, methods=["POST"], endpoint=self._start_upload),
            Rule(UPLOAD, methods=["PUT"], endpoint=self._continue_upload),
            Rule(UPLOAD, methods=["DELETE"], endpoint=self._cancel_upload),
        ]

    def _route(self, method: str, path: str) -> tuple[Callable[..., Response], dict[str, str]]:
        try:
            view, arguments = self._routes.match(path, method)
        except NotFound:
            raise NoSuchAddress from None
        except NoSuchMethod:
            raise MethodNotAllowed from None
        return view, {key: decode(value) for key, value in arguments.items()}

    def _create_bucket(self, request: Request) -> Response:
        name = uploads.parse_json(request.get_data()).get("name")
        if not isinstance(name, str):
            raise InvalidRequest("Required bucket name")
        return _json(_bucket_resource(self._buckets.create(name).name))

    def _get_bucket(self, request: Request, bucket: str) -> Response:  # noqa: ARG002
        return _json(_bucket_resource(self._buckets.get(bucket).name))

    def _list_objects(self, request: Request, bucket: str) -> Response:
        place = self._buckets.get(bucket)
        query = ListingQuery.of(request.args)
        page = list_page(place.names_from(query.start), query)
        items = [_resource(request, metadata) for metadata in place.describe_those_left(page.names)]
        body = {"kind": "storage#objects", "items": items, "prefixes": page.prefixes}
        return _json(body | ({"nextPageToken": page.next_page_token} if page.next_page_token else {}))

    def _get_object(self, request: Request, bucket: str, name: str) -> Response:
        if request.args.get("alt") == "media":
            return self._download_object(request, bucket, name)
        try:
            metadata = self._buckets.get(bucket).describe(name, Preconditions.of(request.args))
        except NotModified:
            return Response(status=304)
        return _json(_resource(request, metadata))

    def _download_object(self, request: Request, bucket: str, name: str) -> Response:
        try:
            metadata, data = self._buckets.get(bucket).read(name, Preconditions.of(request.args))
        except NotModified:
            return Response(status=304)
        return download(request, metadata, data, _etag(metadata))

    def _patch_object(self, request: Request, bucket: str, name: str) -> Response:
        changes = uploads.parse_json(request.get_data())
        return self._edit(request, bucket, name, lambda metadata: metadata.patched(changes))

    def _update_object(self, request: Request, bucket: str, name: str) -> Response:
        editable = EditableMetadata.parse(uploads.parse_json(request.get_data()))
        return self._edit(request, bucket, name, lambda _: editable)

    def _edit(
        self, request: Request, bucket: str, name: str, change: Callable[[ObjectMetadata], EditableMetadata]
    ) -> Response:
        metadata = self._buckets.get(bucket).edit(name, change, Preconditions.of(request.args))
        return _json(_resource(request, metadata))

    def _delete_object(self, request: Request, bucket: str, name: str) -> Response:
        self._buckets.get(bucket).delete(name, Preconditions.of(request.args))
        return Response(status=204)

    def _copy_object(self, request: Request, **names: str) -> Response:
        return _json(_resource(request, self._copy(request, **names)))

    def _rewrite_object(self, request: Request, **names: str) -> Response:
        metadata = self._copy(request, **names)
        size = str(metadata.size)
        body = {"kind": "storage#rewriteResponse", "done": True, "objectSize": size, "totalBytesRewritten": size}
        return _json(body | {"resource": _resource(request, metadata)})

    def _copy(self, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> ObjectMetadata:
        """The copy; it takes its metadata from the source unless the request has a resource of its own."""
        source, data = self._buckets.get(bucket).read(name, Preconditions.of(request.args, prefix="ifSource"))
        resource = uploads.parse_json(request.get_data())
        editable = EditableMetadata.parse(resource) if resource else source
        conditions = Preconditions.of(request.args)
        return self._buckets.get(to_bucket).put(to_name, data, editable, conditions)

    def _start_upload(self, request: Request, bucket: str) -> Response:
        place = self._buckets.get(bucket)
        match request.args.get("uploadType"):
            case "media":
                return _json(_resource(request, uploads.upload_media(place, request)))
            case "multipart":
                return _json(_resource(request, uploads.upload_multipart(place, request)))
            case "resumable":
                upload_id = self._uploads.start(place, request)
                return Response(headers={"Location": f"{request.base_url}?uploadType=resumable&upload_id={upload_id}"})
        raise InvalidRequest("Invalid upload request")

    def _continue_upload(self, request: Request, bucket: str) -> Response:  # noqa: ARG002
        result = self._uploads.append(request.args.get("upload_id", ""), request)
        return result if isinstance(result, Response) else _json(_resource(request, result))

    def _cancel_upload(self, request: Request, bucket: str) -> Response:  # noqa: ARG002
        return self._uploads.cancel(request.args.get("upload_id", ""))


def decode(segment: str) -> str:
    """A percent-encoded name; raises InvalidRequest."""
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("Names are UTF-8.") from None


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), content_type="application/json; charset=UTF-8")


def _bucket_resource(name: str) -> dict[str, Any]:
    return {"kind": "storage#bucket", "id": name, "name": name, "location": "LOCAL", "storageClass": "STANDARD"}


def _resource(request: Request, metadata: ObjectMetadata) -> dict[str, Any]:
    """https://cloud.google.com/storage/docs/json_api/v1/objects#resource"""
    path = f"storage/v1/b/{metadata.bucket}/o/{quote(metadata.name, safe='')}"
    return {
        "kind": "storage#object",
        "id": f"{metadata.bucket}/{metadata.name}/{metadata.generation}",
        "selfLink": f"{request.host_url}{path}",
        "mediaLink": f"{request.host_url}download/{path}?generation={metadata.generation}&alt=media",
        "storageClass": "STANDARD",
        "etag": _etag(metadata),
        **metadata.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _etag(metadata: ObjectMetadata) -> str:
    return b64encode(f"{metadata.generation}/{metadata.metageneration}".encode()).decode()
