"""One origin for everything a browser needs: `python -m infra.local.gateway --port 8080`.

It serves the API functions with their document, the auth server, and a page. Besides the functions' own settings it
reads LOCAL_AUTH_DATABASE_URL, LOCAL_AUTH_KEYS (a folder) and DEFAULT_USER_ID.
"""

import argparse
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from flask import Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from infra.local.auth import AuthServer
from infra.local.functions import api_app
from infra.local.process import announce, serve_wsgi
from shared.config import AppSettings, UserAuthSettings, load
from shared.dto.schema import Output, UtcDatetime
from shared.http import answer

THREADS = 16
DEV_TOKEN_LIFE = timedelta(minutes=5)
PAGE = Path(__file__).with_name("page.html")


class DevToken(Output):
    """An access token for the DEV user."""

    token: str
    expires_at: UtcDatetime


def gateway(auth: AuthServer, default_user_id: UUID) -> DispatcherMiddleware:
    """The WSGI app."""

    def dev_token() -> Response:
        token = auth.dev_token(default_user_id, DEV_TOKEN_LIFE)
        return answer(DevToken(token=token, expires_at=datetime.now(UTC) + DEV_TOKEN_LIFE), cache_control="no-store")

    app = api_app()
    app.add_url_rule("/api/dev/jwt", "dev_token", dev_token)
    app.add_url_rule("/", "page", lambda: Response(PAGE.read_text(encoding="utf-8"), mimetype="text/html"))
    return DispatcherMiddleware(app, {"/auth/v1": auth.app})


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    public_url = load(UserAuthSettings).supabase_url
    keys = Path(os.environ["LOCAL_AUTH_KEYS"])
    with AuthServer(os.environ["LOCAL_AUTH_DATABASE_URL"], keys, public_url, load(AppSettings).app_origins) as auth:
        app = gateway(auth, UUID(os.environ["DEFAULT_USER_ID"]))
        serve_wsgi(app, arguments.port, THREADS, lambda url: announce(url=url))


if __name__ == "__main__":
    main()
