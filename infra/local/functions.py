"""All functions of a kind in one app, so that the whole system stays small on one machine."""

import json
from importlib import import_module
from typing import Any

from flask import Response, redirect
from flask_openapi3 import APIBlueprint, OpenAPI
from flask_openapi3_swagger.plugins import RegisterPlugin

from shared.http import create_app
from shared.http.document import document

API = (
    "account",
    "notebooks",
    "phrases",
    "tts_credentials",
    "voices",
    "jobs",
    "builds",
    "audio_segments",
    "playback_manifest",
)
WORKERS = ("fan_out", "synthesize", "finalize_build", "collect_garbage", "sweep")


def api_app() -> OpenAPI:
    """The API functions, their OpenAPI document and a page to try them."""
    app = create_app(*map(_blueprint, API))
    text = document_text(app)
    app.add_url_rule("/api/openapi.json", "document", lambda: Response(text, mimetype="application/json"))
    app.register_blueprint(RegisterPlugin.register(doc_url="/api/openapi.json"), url_prefix="/api/docs")
    app.add_url_rule("/api/docs", "docs", lambda: redirect("/api/docs/swagger"))
    app.config["SWAGGER_CONFIG"] = {"tryItOutEnabled": True, "persistAuthorization": True}
    return app


def document_text(app: OpenAPI) -> str:
    """The OpenAPI document of an app as it is served, and as `docs/openapi.json` has it."""
    return json.dumps(document(app), ensure_ascii=False, indent=2) + "\n"


def workers_app() -> OpenAPI:
    """The workers."""
    return create_app(*map(_blueprint, WORKERS))


def _blueprint(name: str) -> APIBlueprint:
    function: Any = import_module(f"functions.{name}.main")
    blueprint: APIBlueprint = function.api
    return blueprint
