"""Notebooks."""

from dataclasses import dataclass
from uuid import UUID

from shared.auth import User
from shared.db import notebooks, phrases
from shared.db.database import Database, Transaction, spend
from shared.db.idempotency import StoredAnswer
from shared.dto.notebooks import (
    MAX_PHRASES,
    AudioStatus,
    ImportLogPage,
    ImportRequest,
    ImportSummary,
    Notebook,
    NotebookImported,
    NotebookPage,
    NotebookQuery,
)
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

    def create(self, user: User, name: str) -> Notebook:
        """A new, empty notebook; raises UniqueViolation and LimitExceeded."""
        with self.database.as_user(user, "write") as transaction:
            return notebooks.add(transaction, name)

    def page(self, user: User, query: NotebookQuery) -> NotebookPage:
        """The learner's notebooks, in the order of the query."""
        with self.database.as_user(user, "read") as transaction:
            page = self.pager.page(
                [user.id, "notebooks", query.sort, query.order, query.q],
                query.cursor,
                query.limit,
                lambda after, limit: notebooks.listing(transaction, query, after, limit),
                lambda notebook: [getattr(notebook, query.sort), notebook.id],
            )
        return NotebookPage(items=page.items, next_cursor=page.next_cursor)

    def get(self, user: User, notebook_id: UUID) -> Notebook:
        """One notebook; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return notebooks.get(transaction, notebook_id)

    def rename(self, user: User, notebook_id: UUID, name: str) -> Notebook:
        """The notebook under its new name; raises NotFound and UniqueViolation."""
        with self.database.as_user(user, "write") as transaction:
            return notebooks.rename(transaction, notebook_id, name)

    def delete(self, user: User, notebook_id: UUID) -> None:
        """Delete a notebook and all that is in it; raises NotFound."""
        with self.database.as_user(user, "write") as transaction:
            notebooks.delete(transaction, notebook_id)

    def import_logs(self, user: User, notebook_id: UUID, query: PageQuery) -> ImportLogPage:
        """The lines that the import rejected; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            notebooks.get(transaction, notebook_id)
            page = self.pager.page(
                [user.id, "import-logs", notebook_id],
                query.cursor,
                query.limit,
                lambda after, limit: notebooks.import_logs(transaction, notebook_id, after, limit),
                lambda kept: [kept.created_at, kept.log.line_no, kept.id],
            )
        return ImportLogPage(items=[kept.log for kept in page.items], next_cursor=page.next_cursor)

    def audio_status(self, user: User, notebook_id: UUID) -> AudioStatus:
        """How much of the active build there is; raises NotFound."""
        with self.database.as_user(user, "read") as transaction:
            return notebooks.audio_status(transaction, notebook_id)


def _import(transaction: Transaction, name: str, imported: ImportedLines) -> StoredAnswer:
    spend(transaction, "write")
    notebook = notebooks.add(transaction, name)
    phrases.add_all(transaction, notebook.id, imported.pairs)
    notebooks.record_import_logs(transaction, notebook.id, imported.logs)
    summary = ImportSummary(accepted=len(imported.pairs), rejected=len(imported.logs), logs=imported.logs)
    body = NotebookImported.model_validate({"notebook": notebook, "import": summary})
    return StoredAnswer(201, f"/api/notebooks/{notebook.id}", body.model_dump_json(by_alias=True).encode())
