"""Builds and their audio segments, as the learner sees them."""

from dataclasses import dataclass
from uuid import UUID

from shared.auth import User
from shared.db import audio_segments, builds, notebooks
from shared.db.database import Database
from shared.dto.audio_segments import AudioSegment, AudioSegmentPage, AudioSegmentQuery
from shared.dto.builds import Build, BuildPage
from shared.dto.schema import PageQuery
from shared.services.paging import Pager


@dataclass(frozen=True)
class Builds:
    """What a learner may ask about builds."""

    database: Database
    pager: Pager

    def page(self, user: User, notebook_id: UUID, query: PageQuery) -> BuildPage:
        """Builds of a notebook, newest first; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            notebooks.get(transaction, notebook_id)
            page = self.pager.page(
                [user.id, "builds", notebook_id],
                query.cursor,
                query.limit,
                lambda after, limit: builds.newest(transaction, notebook_id, after, limit),
                lambda build: [build.created_at, build.id],
            )
        return BuildPage(items=page.items, next_cursor=page.next_cursor)

    def get(self, user: User, build_id: UUID) -> Build:
        """One build; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return builds.get(transaction, build_id)


@dataclass(frozen=True)
class AudioSegments:
    """What a learner may ask about audio segments."""

    database: Database
    pager: Pager

    def page(self, user: User, notebook_id: UUID, query: AudioSegmentQuery) -> AudioSegmentPage:
        """Active segments of a notebook in the order they are played; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            notebooks.get(transaction, notebook_id)
            page = self.pager.page(
                [user.id, "audio-segments", notebook_id, query.phrase_id, query.voice_slot, query.status],
                query.cursor,
                query.limit,
                lambda after, limit: audio_segments.active(
                    transaction,
                    notebook_id,
                    phrase_id=query.phrase_id,
                    voice_slot=query.voice_slot,
                    status=query.status,
                    after=after,
                    limit=limit,
                ),
                lambda placed: [placed.position, placed.segment.voice_slot],
            )
        return AudioSegmentPage(items=[placed.segment for placed in page.items], next_cursor=page.next_cursor)

    def get(self, user: User, segment_id: UUID) -> AudioSegment:
        """One segment; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return audio_segments.get(transaction, segment_id)
