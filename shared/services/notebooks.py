"""Notebooks: import, list, get."""

from dataclasses import dataclass
from uuid import UUID

from shared.auth import User
from shared.db import notebooks, phrases
from shared.db.database import Database, Transaction, spend
from shared.db.idempotency import StoredAnswer
from shared.dto.notebooks import MAX_PHRASES, ImportRequest, ImportSummary, Notebook, NotebookImported, NotebookPage
from shared.dto.phrases import PhrasePage, PhraseQuery
from shared.dto.schema import PageQuery
from shared.errors import LimitExceeded
from shared.services.import_lines import ImportedLines, read_lines
from shared.services.paging import Pager
from shared.services.repeating import Outcome, once, repeatable


@dataclass(frozen=True)
class Notebooks:
    """What a learner does with notebooks."""

    database: Database
    pager: Pager

    def import_(self, user: User, request: ImportRequest, idempotency_key: UUID | None) -> Outcome:
        """A new notebook made of lines. Raises LimitExceeded and UniqueViolation, and then nothing is written."""
        imported = read_lines(request.lines, normalize=request.normalize)
        if len(imported.pairs) > MAX_PHRASES:
            raise LimitExceeded(
                f"These lines hold {len(imported.pairs)} phrases; a notebook holds at most {MAX_PHRASES}. "
                "Split them into several notebooks."
            )
        with self.database.as_user(user) as transaction:
            return once(
                transaction,
                repeatable("import", idempotency_key, request),
                lambda: _import(transaction, request.name, imported),
            )

    def page(self, user: User, query: PageQuery) -> NotebookPage:
        """The learner's notebooks, the last changed first."""
        with self.database.as_user(user, "read") as transaction:
            page = self.pager.page(
                [user.id, "notebooks", "updated_at desc"],
                query.cursor,
                query.limit,
                lambda after, limit: notebooks.newest(transaction, after, limit),
                lambda notebook: [notebook.updated_at, notebook.id],
            )
        return NotebookPage(items=page.items, next_cursor=page.next_cursor)

    def get(self, user: User, notebook_id: UUID) -> Notebook:
        """One notebook; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return notebooks.get(transaction, notebook_id)


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


def _import(transaction: Transaction, name: str, imported: ImportedLines) -> StoredAnswer:
    spend(transaction, "write")
    notebook = notebooks.add(transaction, name)
    phrases.add_all(transaction, notebook.id, imported.pairs)
    notebooks.record_import_logs(transaction, notebook.id, imported.logs)
    summary = ImportSummary(accepted=len(imported.pairs), rejected=len(imported.logs), logs=imported.logs)
    body = NotebookImported.model_validate({"notebook": notebook, "import": summary})
    return StoredAnswer(201, f"/api/notebooks/{notebook.id}", body.model_dump_json(by_alias=True).encode())
