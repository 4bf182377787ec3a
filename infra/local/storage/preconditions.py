"""Conditions that a request puts on the object it is about.

https://cloud.google.com/storage/docs/request-preconditions
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.storage.errors import InvalidRequest, NoSuchObject, NotModified, PreconditionFailed
from infra.local.storage.objects import ObjectMetadata


@dataclass(frozen=True)
class Preconditions:
    """What the live object must be; an object that does not exist has generation and metageneration 0."""

    generation: int | None = None
    if_generation_match: int | None = None
    if_generation_not_match: int | None = None
    if_metageneration_match: int | None = None
    if_metageneration_not_match: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], prefix: str = "if") -> "Preconditions":
        """From query parameters; those on the source of a copy begin with `ifSource`. Raises InvalidRequest."""
        return cls(
            _number(query, "generation" if prefix == "if" else "sourceGeneration"),
            _number(query, f"{prefix}GenerationMatch"),
            _number(query, f"{prefix}GenerationNotMatch"),
            _number(query, f"{prefix}MetagenerationMatch"),
            _number(query, f"{prefix}MetagenerationNotMatch"),
        )

    def check(self, live: ObjectMetadata | None) -> None:
        """Raises PreconditionFailed (NotModified for a "not match"), NoSuchObject for a generation that is not live."""
        generation = live.generation if live else 0
        metageneration = live.metageneration if live else 0
        if self.generation not in (None, generation):
            raise NoSuchObject
        if self.if_generation_match not in (None, generation):
            raise PreconditionFailed
        if self.if_metageneration_match not in (None, metageneration):
            raise PreconditionFailed
        if generation == self.if_generation_not_match or metageneration == self.if_metageneration_not_match:
            raise NotModified


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"Invalid value for {name}: {text}") from None
