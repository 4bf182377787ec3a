"""All functions of a kind in one app, so that the whole system stays small on one machine."""

from importlib import import_module
from typing import Any

from flask_openapi3 import APIBlueprint, OpenAPI

from shared.http import create_app

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
    return create_app(*map(_blueprint, API), doc_ui=True, doc_prefix="/api/docs")


def workers_app() -> OpenAPI:
    """The workers."""
    return create_app(*map(_blueprint, WORKERS))


def _blueprint(name: str) -> APIBlueprint:
    function: Any = import_module(f"functions.{name}.main")
    blueprint: APIBlueprint = function.api
    return blueprint
