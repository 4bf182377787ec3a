"""Deletes the objects that nothing plays any more."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.clients.audio_storage import AudioStorage
from shared.db import audio_segments, garbage
from shared.db.database import Database
from shared.db.garbage import Garbage

log = structlog.get_logger()


@dataclass(frozen=True)
class GarbageCollection:
    """Deletes what is due, and nothing that a notebook plays."""

    database: Database
    storage: AudioStorage

    def run(self, build_id: UUID) -> None:
        """Delete the objects of a build's due garbage.

        Rows first, so that no complete segment is without its object; the garbage stays on the list until its objects
        are gone, so that a run that breaks off is repeated.
        """
        for item in self._collectable(build_id):
            deleted = self.storage.delete_prefix(item.prefix)
            with self.database.transaction() as transaction:
                garbage.forget(transaction, item)
            log.info("garbage collected", build_id=str(build_id), objects=deleted)

    def _collectable(self, build_id: UUID) -> list[Garbage]:
        with self.database.transaction() as transaction:
            due = garbage.due(transaction, build_id)
            for item in due:
                if item.is_in_use:
                    log.error("garbage is in use", build_id=str(build_id), prefix=item.prefix)
                    garbage.forget(transaction, item)
                elif item.is_whole_build:
                    audio_segments.delete_of(transaction, build_id)
        return [item for item in due if not item.is_in_use]
