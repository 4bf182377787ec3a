"""Phrases."""

from dataclasses import dataclass
from uuid import UUID

from shared.auth import User
from shared.db import notebooks, phrases
from shared.db.database import Database
from shared.dto.phrases import (
    Phrase,
    PhraseCreateRequest,
    PhrasePage,
    PhrasePatchRequest,
    PhraseQuery,
    PhraseReorderRequest,
    PhrasesReordered,
)
from shared.errors import ValidationFailed
from shared.services.paging import Pager


@dataclass(frozen=True)
class Phrases:
    """What a learner does with phrases."""

    database: Database
    pager: Pager

    def page(self, user: User, notebook_id: UUID, query: PhraseQuery) -> PhrasePage:
        """Phrases of a notebook; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            notebooks.get(transaction, notebook_id)
            page = self.pager.page(
                [user.id, "phrases", notebook_id, query.sort, query.order],
                query.cursor,
                query.limit,
                lambda after, limit: phrases.listing(transaction, notebook_id, query.sort, query.order, after, limit),
                lambda phrase: [getattr(phrase, query.sort), phrase.id],
            )
        return PhrasePage(items=page.items, next_cursor=page.next_cursor)

    def create(self, user: User, notebook_id: UUID, request: PhraseCreateRequest) -> Phrase:
        """A new phrase; raises NotFound, LimitExceeded, and UniqueViolation where the position is taken.

        The notebook is locked, so that two phrases that come at once both go last, one after the other.
        """
        with self.database.as_user(user, "write") as transaction:
            notebooks.lock(transaction, notebook_id)
            return phrases.add(
                transaction, notebook_id, request.en_text, request.pl_text, request.position, request.tokens
            )

    def change(self, user: User, phrase_id: UUID, request: PhrasePatchRequest) -> Phrase:
        """The phrase as changed; raises NotFound and UniqueViolation."""
        with self.database.as_user(user, "write") as transaction:
            return phrases.change(transaction, phrase_id, request.model_dump(exclude_unset=True))

    def delete(self, user: User, phrase_id: UUID) -> None:
        """Delete a phrase; raises NotFound."""
        with self.database.as_user(user, "write") as transaction:
            phrases.delete(transaction, phrase_id)

    def reorder(self, user: User, notebook_id: UUID, request: PhraseReorderRequest) -> PhrasesReordered:
        """Move phrases of a notebook; raises NotFound, ValidationFailed and UniqueViolation, and then none moves."""
        positions = {move.phrase_id: move.position for move in request.moves}
        with self.database.as_user(user, "write") as transaction:
            notebooks.lock(transaction, notebook_id)
            updated = phrases.move(transaction, notebook_id, positions)
            if updated < len(positions):
                raise ValidationFailed.of("body.moves", "A phrase that is named here is not in this notebook.")
        return PhrasesReordered(updated=updated)
