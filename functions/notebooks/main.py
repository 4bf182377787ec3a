"""Notebooks: import, list, get."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.notebooks import ImportRequest, Notebook, NotebookImported, NotebookPage
from shared.dto.schema import IdempotencyHeader, NotebookPath, PageQuery
from shared.services.notebooks import Notebooks
from shared.services.paging import Pager

api = http.user_api("notebooks", "Notebooks of phrases.")
shelf = Notebooks(database(), Pager(load(CursorSettings)))


@api.get("/notebooks", responses={200: NotebookPage})
def page(query: PageQuery) -> Response:
    """The learner's notebooks, the last changed first."""
    return http.answer(shelf.page(http.caller(), query))


@api.post("/notebooks:import", responses={201: NotebookImported})
def import_notebook(header: IdempotencyHeader, body: ImportRequest) -> Response:
    """Make a notebook of lines of `EN text ::: PL text`."""
    return http.repeatable_answer(shelf.import_(http.caller(), body, header.idempotency_key))


@api.get("/notebooks/<id:notebook_id>", responses={200: Notebook})
def get(path: NotebookPath) -> Response:
    """One notebook."""
    return http.answer(shelf.get(http.caller(), path.notebook_id))


notebooks = http.serve(api)
