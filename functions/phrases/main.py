"""Phrases: list."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.phrases import PhrasePage, PhraseQuery
from shared.dto.schema import NotebookPath
from shared.services.notebooks import Phrases
from shared.services.paging import Pager

api = http.user_api("phrases", "Phrases of a notebook.")
pages = Phrases(database(), Pager(load(CursorSettings)))


@api.get("/notebooks/<id:notebook_id>/phrases", responses={200: PhrasePage})
def page(path: NotebookPath, query: PhraseQuery) -> Response:
    """Phrases of a notebook."""
    return http.answer(pages.page(http.caller(), path.notebook_id, query))


phrases = http.serve(api)
