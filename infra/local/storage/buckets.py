"""Buckets: directories of objects, each with an index of its objects' metadata in memory.

<root>/<bucket>/objects/<SHA-256 of the object's name>    see `objects`
<root>/<bucket>/incoming/                                 what is being written
"""

import fcntl
import hashlib
import logging
import os
import re
import shutil
from bisect import bisect_left, insort
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Lock
from uuid import uuid4

from infra.local.storage import objects
from infra.local.storage.errors import BucketExists, InvalidRequest, NoSuchBucket, NoSuchObject
from infra.local.storage.objects import CorruptFile, EditableMetadata, ObjectMetadata
from infra.local.storage.preconditions import Preconditions

log = logging.getLogger(__name__)

BUCKET_NAME = re.compile(r"[a-z0-9][-_.a-z0-9]{1,61}[a-z0-9]")
MAX_NAME_BYTES = 1024
WRITE_LOCKS = 64
NO_CONDITIONS = Preconditions()


class Bucket:
    """Objects by name. Threads may share it; what is written is on disk when the call returns."""

    def __init__(self, name: str, directory: Path, now: Callable[[], datetime]) -> None:
        self.name = name
        self._objects = directory / "objects"
        self._incoming = directory / "incoming"
        self._now = now
        self._index: dict[str, ObjectMetadata] = {}
        self._index_lock = Lock()
        self._write_locks = [Lock() for _ in range(WRITE_LOCKS)]
        self._prepare_directories()
        self._load()
        self._names = sorted(self._index)
        self._last_generation = max((known.generation for known in self._index.values()), default=0)

    def put(
        self, name: str, data: bytes, editable: EditableMetadata, preconditions: Preconditions = NO_CONDITIONS
    ) -> ObjectMetadata:
        """Create or replace an object; raises PreconditionFailed and InvalidRequest."""
        _check_name(name)
        with self._write_lock(name):
            preconditions.check(self._index.get(name))
            metadata = ObjectMetadata.describe(
                editable, data, name=name, bucket=self.name, generation=self._next_generation(), at=self._now()
            )
            self._commit(metadata, data)
        return metadata

    def edit(
        self, name: str, change: Callable[[ObjectMetadata], EditableMetadata], preconditions: Preconditions
    ) -> ObjectMetadata:
        """Give an object other editable metadata; raises NoSuchObject, PreconditionFailed and InvalidRequest."""
        with self._write_lock(name):
            metadata, data = self.read(name, preconditions)
            metadata = metadata.edited(change(metadata), self._now())
            self._commit(metadata, data)
        return metadata

    def delete(self, name: str, preconditions: Preconditions = NO_CONDITIONS) -> None:
        """Raises NoSuchObject and PreconditionFailed."""
        with self._write_lock(name):
            self.describe(name, preconditions)
            self._path(name).unlink(missing_ok=True)
            with self._index_lock:
                del self._index[name]
                del self._names[bisect_left(self._names, name)]

    def describe(self, name: str, preconditions: Preconditions = NO_CONDITIONS) -> ObjectMetadata:
        """The metadata of an object; raises NoSuchObject and PreconditionFailed."""
        metadata = self._index.get(name)
        if metadata is None:
            raise NoSuchObject(f"No such object: {self.name}/{name}")
        preconditions.check(metadata)
        return metadata

    def read(self, name: str, preconditions: Preconditions = NO_CONDITIONS) -> tuple[ObjectMetadata, bytes]:
        """An object with the metadata that belongs to these bytes; raises NoSuchObject and PreconditionFailed."""
        try:
            metadata, data = objects.read(self._path(name))
        except FileNotFoundError:
            raise NoSuchObject(f"No such object: {self.name}/{name}") from None
        preconditions.check(metadata)
        return metadata, data

    def names_from(self, start: str) -> list[str]:
        """The names of all objects from `start` on, sorted by their UTF-8 bytes."""
        with self._index_lock:
            return self._names[bisect_left(self._names, start) :]

    def describe_those_left(self, names: list[str]) -> list[ObjectMetadata]:
        """The metadata of the objects among `names` that have not been deleted meanwhile."""
        return [metadata for name in names if (metadata := self._index.get(name))]

    def _commit(self, metadata: ObjectMetadata, data: bytes) -> None:
        """Put the object on disk, which the rename does in one step, then into the index."""
        path = self._path(metadata.name)
        written = self._incoming / uuid4().hex
        try:
            with written.open("xb") as file:
                file.write(objects.encode(metadata, data))
                file.flush()
                os.fsync(file.fileno())
            written.replace(path)
        finally:
            written.unlink(missing_ok=True)
        with self._index_lock:
            if metadata.name not in self._index:
                insort(self._names, metadata.name)
            self._index[metadata.name] = metadata

    def _next_generation(self) -> int:
        """Microseconds since the epoch, but always more than the last."""
        with self._index_lock:
            self._last_generation = max(int(self._now().timestamp() * 1e6), self._last_generation + 1)
            return self._last_generation

    def _path(self, name: str) -> Path:
        """Where an object lies: names may be longer than file names, hold `..`, and differ by a slash only."""
        return self._objects / _file_name(name)

    def _write_lock(self, name: str) -> Lock:
        return self._write_locks[hash(name) % WRITE_LOCKS]

    def _prepare_directories(self) -> None:
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)
        self._objects.mkdir(exist_ok=True)

    def _load(self) -> None:
        for path in self._objects.iterdir():
            try:
                metadata = objects.read_metadata(path)
            except CorruptFile as error:
                log.warning("%s is not a whole object and is left aside: %s", path, error)
                continue
            self._index[metadata.name] = metadata


class Buckets:
    """All buckets under a directory, which no second server may use at the same time."""

    def __init__(self, root: Path, now: Callable[[], datetime]) -> None:
        self._root = root
        self._now = now
        self._lock = Lock()
        root.mkdir(parents=True, exist_ok=True)
        self._root_lock = _lock_directory(root)
        self._buckets = {path.name: Bucket(path.name, path, now) for path in _bucket_directories(root)}

    def create(self, name: str) -> Bucket:
        """A new, empty bucket; raises BucketExists and InvalidRequest."""
        if not BUCKET_NAME.fullmatch(name):
            raise InvalidRequest(f"Invalid bucket name: '{name}'")
        with self._lock:
            if name in self._buckets:
                raise BucketExists
            bucket = Bucket(name, self._root / name, self._now)
            self._buckets[name] = bucket
            return bucket

    def ensure(self, name: str) -> Bucket:
        """The bucket of this name, created if there is none; raises InvalidRequest."""
        return self._buckets.get(name) or self.create(name)

    def get(self, name: str) -> Bucket:
        """The bucket of this name; raises NoSuchBucket."""
        bucket = self._buckets.get(name)
        if bucket is None:
            raise NoSuchBucket
        return bucket

    def close(self) -> None:
        """Let another server use the directory."""
        os.close(self._root_lock)


class DirectoryInUse(Exception):
    """Another storage server uses this directory."""


def _lock_directory(root: Path) -> int:
    """A descriptor that keeps other servers out until it is closed, by the end of the process at the latest."""
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DirectoryInUse(f"another storage server uses {root}") from None
    return descriptor


def _bucket_directories(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir() and BUCKET_NAME.fullmatch(path.name)]


def _file_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _check_name(name: str) -> None:
    """https://cloud.google.com/storage/docs/objects#naming"""
    if not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise InvalidRequest("An object name has 1 to 1024 bytes.")
    if name in {".", ".."} or "\r" in name or "\n" in name:
        raise InvalidRequest(f"Disallowed object name: {name!r}")
