"""Phrases: list, add, change, delete, reorder."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.phrases import (
    Phrase,
    PhraseCreateRequest,
    PhrasePage,
    PhrasePatchRequest,
    PhrasePath,
    PhraseQuery,
    PhraseReorderRequest,
    PhrasesReordered,
)
from shared.dto.schema import NotebookPath
from shared.errors import UniqueViolation
from shared.services.paging import Pager
from shared.services.phrases import Phrases

api = http.user_api("phrases", "Phrases of a notebook.")
service = Phrases(database(), Pager(load(CursorSettings)))


@api.get("/notebooks/<id:notebook_id>/phrases", responses={200: PhrasePage})
def page(path: NotebookPath, query: PhraseQuery) -> Response:
    """Phrases of a notebook."""
    return http.answer(service.page(http.caller(), path.notebook_id, query))


@api.post("/notebooks/<id:notebook_id>/phrases", responses={201: Phrase})
@http.refuses(UniqueViolation)
def create(path: NotebookPath, body: PhraseCreateRequest) -> Response:
    """Add a phrase; without a position it goes last."""
    return http.answer(service.create(http.caller(), path.notebook_id, body), 201)


@api.post("/notebooks/<id:notebook_id>/phrases:reorder", responses={200: PhrasesReordered})
@http.refuses(UniqueViolation)
def reorder(path: NotebookPath, body: PhraseReorderRequest) -> Response:
    """Move phrases, all at once or none."""
    return http.answer(service.reorder(http.caller(), path.notebook_id, body))


@api.patch("/phrases/<id:phrase_id>", responses={200: Phrase})
@http.refuses(UniqueViolation)
def change(path: PhrasePath, body: PhrasePatchRequest) -> Response:
    """Change a phrase; what is left out stays."""
    return http.answer(service.change(http.caller(), path.phrase_id, body))


@api.delete("/phrases/<id:phrase_id>", responses={204: None})
def delete(path: PhrasePath) -> Response:
    """Delete a phrase and its audio."""
    service.delete(http.caller(), path.phrase_id)
    return http.no_content()


phrases = http.serve(api)
