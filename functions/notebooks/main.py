"""Notebooks: list, create, import, get, rename, delete; what an import rejected; how much audio there is."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.notebooks import (
    AudioStatus,
    ImportLogPage,
    ImportRequest,
    Notebook,
    NotebookCreateRequest,
    NotebookImported,
    NotebookPage,
    NotebookPatchRequest,
    NotebookQuery,
)
from shared.dto.schema import IdempotencyHeader, NotebookPath, PageQuery
from shared.errors import UniqueViolation
from shared.services.notebooks import Notebooks
from shared.services.paging import Pager

api = http.user_api("notebooks", "Notebooks of phrases.")
service = Notebooks(database(), Pager(load(CursorSettings)))


@api.get("/notebooks", responses={200: NotebookPage})
def page(query: NotebookQuery) -> Response:
    """The learner's notebooks, the last changed first unless asked otherwise."""
    return http.answer(service.page(http.caller(), query))


@api.post("/notebooks", responses={201: Notebook})
@http.refuses(UniqueViolation)
@http.sends("Location")
def create(body: NotebookCreateRequest) -> Response:
    """Make an empty notebook."""
    notebook = service.create(http.caller(), body.name)
    return http.answer(notebook, 201, location=f"/api/notebooks/{notebook.id}")


@api.post("/notebooks:import", responses={201: NotebookImported})
@http.refuses(UniqueViolation)
@http.sends("Location")
def import_notebook(header: IdempotencyHeader, body: ImportRequest) -> Response:
    """Make a notebook of lines of `EN text ::: PL text`."""
    return http.repeatable_answer(service.import_(http.caller(), body, header.idempotency_key))


@api.get("/notebooks/<id:notebook_id>", responses={200: Notebook})
def get(path: NotebookPath) -> Response:
    """One notebook."""
    return http.answer(service.get(http.caller(), path.notebook_id))


@api.patch("/notebooks/<id:notebook_id>", responses={200: Notebook})
@http.refuses(UniqueViolation)
def rename(path: NotebookPath, body: NotebookPatchRequest) -> Response:
    """Give a notebook another name."""
    return http.answer(service.rename(http.caller(), path.notebook_id, body.name))


@api.delete("/notebooks/<id:notebook_id>", responses={204: None})
def delete(path: NotebookPath) -> Response:
    """Delete a notebook, its phrases and its audio."""
    service.delete(http.caller(), path.notebook_id)
    return http.no_content()


@api.get("/notebooks/<id:notebook_id>/import-logs", responses={200: ImportLogPage})
def import_logs(path: NotebookPath, query: PageQuery) -> Response:
    """The lines that the import rejected, and why."""
    return http.answer(service.import_logs(http.caller(), path.notebook_id, query))


@api.get("/notebooks/<id:notebook_id>/audio-status", responses={200: AudioStatus})
def audio_status(path: NotebookPath) -> Response:
    """How much of the active build there is."""
    return http.answer(service.audio_status(http.caller(), path.notebook_id))


notebooks = http.serve(api)
