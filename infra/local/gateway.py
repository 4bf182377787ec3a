"""One origin for everything a browser needs: `python -m infra.local.gateway --port 8080`.

It serves the API functions with their document, the auth server, and a page.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Response, redirect
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from infra.local.auth import AuthServer
from infra.local.functions import api_app
from shared.http import answer

THREADS = 16
DEV_TOKEN_LIFE = timedelta(minutes=5)
PAGE = Path(__file__).with_name("page.html")


class DevToken(BaseModel):
    """A token for the DEV user."""

    token: str
    expires_at: datetime


def gateway(auth: AuthServer, default_user_id: str) -> DispatcherMiddleware:
    """The WSGI app."""

    def dev_token() -> Response:
        token = auth.dev_token(default_user_id, DEV_TOKEN_LIFE)
        return answer(DevToken(token=token, expires_at=datetime.now(UTC) + DEV_TOKEN_LIFE), cache_control="no-store")

    app = api_app()
    app.add_url_rule("/api/dev/jwt", "dev_token", dev_token)
    app.add_url_rule("/api/docs", "docs", lambda: redirect("/api/docs/swagger"))
    app.add_url_rule("/api/openapi.json", "document", lambda: app.api_doc)
    app.add_url_rule("/", "page", page)
    return DispatcherMiddleware(app, {"/auth/v1": auth.app})


def page() -> ResponseReturnValue:
    """What there is to see until there is a web app."""
    return Response(PAGE.read_text(), mimetype="text/html")
