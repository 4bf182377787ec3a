"""Builds: list, get."""

from flask import Response

from shared import http
from shared.config import CursorSettings, load
from shared.db.database import database
from shared.dto.builds import Build, BuildPage, BuildPath
from shared.dto.schema import NotebookPath, PageQuery
from shared.services.builds import Builds
from shared.services.paging import Pager

api = http.user_api("builds", "Builds: what each job made.")
service = Builds(database(), Pager(load(CursorSettings)))


@api.get("/notebooks/<id:notebook_id>/builds", responses={200: BuildPage})
def page(path: NotebookPath, query: PageQuery) -> Response:
    """Builds of a notebook, newest first."""
    return http.answer(service.page(http.caller(), path.notebook_id, query))


@api.get("/builds/<id:build_id>", responses={200: Build})
def get(path: BuildPath) -> Response:
    """One build."""
    return http.answer(service.get(http.caller(), path.build_id))


builds = http.serve(api)
