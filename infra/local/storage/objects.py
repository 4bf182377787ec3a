"""An object: its metadata, its checksums, and the one file that holds both metadata and bytes.

A file is one line of JSON, the metadata, followed by the bytes. Since it appears under its name by a rename, whatever
kills the server leaves either the whole old object or the whole new one, never the bytes of one and the metadata of
the other.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

import google_crc32c
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)
from pydantic.alias_generators import to_camel

from infra.local.storage.errors import InvalidRequest

MAX_CUSTOM_METADATA_BYTES = 8 * 1024
"""https://cloud.google.com/storage/quotas#objects"""

MAX_HEADER_BYTES = 256 * 1024
"""More than any metadata that is accepted can need."""

HeaderText = Annotated[str, Field(max_length=4096, pattern=r"^[\x20-\x7e]*$")]


class CorruptFile(Exception):
    """The file does not hold a whole object."""


class EditableMetadata(BaseModel):
    """What whoever writes an object may say about it; other fields of the resource are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    content_type: HeaderText | None = None
    content_encoding: HeaderText | None = None
    content_disposition: HeaderText | None = None
    content_language: HeaderText | None = None
    cache_control: HeaderText | None = None
    metadata: dict[str, str] | None = None

    @field_validator("metadata")
    @classmethod
    def _within_the_quota(cls, metadata: dict[str, str] | None) -> dict[str, str] | None:
        if sum(len(text.encode()) for pair in (metadata or {}).items() for text in pair) > MAX_CUSTOM_METADATA_BYTES:
            raise ValueError("more custom metadata than an object may have")
        return metadata

    @classmethod
    def parse(cls, resource: Any) -> Self:
        """From an object resource; raises InvalidRequest."""
        try:
            return cls.model_validate(resource)
        except ValidationError as error:
            raise InvalidRequest(f"Invalid object resource: {error.error_count()} fields do not fit") from None

    def patched(self, changes: Any) -> "EditableMetadata":
        """With a JSON merge patch (RFC 7396) applied; raises InvalidRequest."""
        if not isinstance(changes, dict):
            raise InvalidRequest("Invalid object resource")
        current = self.model_dump(by_alias=True, include=set(EditableMetadata.model_fields))
        return EditableMetadata.parse(_merge_patch(current, changes))


class ObjectMetadata(EditableMetadata):
    """All that is known of an object without its bytes."""

    name: str
    bucket: str
    generation: int
    metageneration: int
    size: int
    md5_hash: str
    crc32c: str = Field(alias="crc32c")
    time_created: AwareDatetime
    updated: AwareDatetime

    @field_serializer("generation", "metageneration", "size", when_used="json")
    def _as_google_writes_64_bits(self, number: int) -> str:
        return str(number)

    @field_serializer("time_created", "updated", when_used="json")
    def _as_google_writes_times(self, time: datetime) -> str:
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @classmethod
    def describe(
        cls, editable: EditableMetadata, data: bytes, *, name: str, bucket: str, generation: int, at: datetime
    ) -> "ObjectMetadata":
        """The metadata of a new object of these bytes."""
        return cls(
            **editable.model_dump(include=set(EditableMetadata.model_fields)),
            name=name,
            bucket=bucket,
            generation=generation,
            metageneration=1,
            size=len(data),
            **checksums(data),
            time_created=at,
            updated=at,
        )

    def edited(self, editable: EditableMetadata, at: datetime) -> "ObjectMetadata":
        """The same object with other editable metadata."""
        fields = editable.model_dump(include=set(EditableMetadata.model_fields))
        return self.model_copy(update={**fields, "metageneration": self.metageneration + 1, "updated": at})


def checksums(data: bytes) -> dict[str, str]:
    """`md5_hash` and `crc32c` as Google writes them: base64, the CRC big-endian."""
    return {
        "md5_hash": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
        "crc32c": b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode(),
    }


def encode(metadata: ObjectMetadata, data: bytes) -> bytes:
    """What the file of an object holds."""
    return metadata.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n" + data


def read(path: Path) -> tuple[ObjectMetadata, bytes]:
    """The object in a file; raises FileNotFoundError and CorruptFile."""
    header, newline, data = path.read_bytes().partition(b"\n")
    metadata = _parse(header)
    if not newline or len(data) != metadata.size:
        raise CorruptFile(path.name)
    return metadata, data


def read_metadata(path: Path) -> ObjectMetadata:
    """The metadata in a file, without reading the bytes; raises CorruptFile."""
    with path.open("rb") as file:
        header = file.readline(MAX_HEADER_BYTES)
    metadata = _parse(header)
    if path.stat().st_size != len(header) + metadata.size:
        raise CorruptFile(path.name)
    return metadata


def _parse(header: bytes) -> ObjectMetadata:
    try:
        return ObjectMetadata.model_validate_json(header)
    except ValidationError:
        raise CorruptFile("the first line is not the metadata of an object") from None


def _merge_patch(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(current)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge_patch(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged
