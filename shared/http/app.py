"""Puts endpoints together: one blueprint per function, served alone in the cloud or all in one app on one machine."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NoReturn, cast

import functions_framework
import structlog
from flask import Flask, Request, Response, current_app, g, request
from flask_compress import Compress
from flask_cors import CORS
from flask_openapi3 import APIBlueprint, Info, OpenAPI, Tag
from flask_openapi3.models.security_scheme import SecurityScheme
from pydantic import ValidationError
from structlog.contextvars import bind_contextvars
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response as WsgiResponse

from shared import errors
from shared.auth import UserAuth, WorkerAuth
from shared.config import AppSettings, RateLimitSettings, UserAuthSettings, WorkerAuthSettings, load
from shared.dto.schema import ErrorAnswer
from shared.http.answers import PRIVATE, error_answer, finish
from shared.http.declarations import declared
from shared.http.requests import JsonRequest, identify
from shared.logging import configure_logging

log = structlog.get_logger()

PREFIX = "/api"
EXPOSED_HEADERS = ["ETag", "Retry-After", "X-Request-Id", "Idempotency-Replayed"]
ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"]
BEARER: dict[str, SecurityScheme | dict[str, Any]] = {
    "bearer": SecurityScheme(type="http", scheme="bearer", bearerFormat="JWT")
}


class SegmentConverter(BaseConverter):
    """A path segment up to a colon, so that `/jobs/<id>:cancel` is another path than `/jobs/<id>`."""

    regex = "[^/:]+"


class UserApi(APIBlueprint):
    """The endpoints of one API function."""

    no_store = False
    """Whether caches shall keep none of its answers."""


def user_api(name: str, description: str, *, no_store: bool = False) -> UserApi:
    """A blueprint whose views are called by a signed-in learner, but for those marked public."""
    auth = UserAuth(load(UserAuthSettings))
    load(RateLimitSettings)  # read with the first request; a malformed limit shall stop the start
    origins = load(AppSettings).app_origins
    api = UserApi(
        name,
        name,
        url_prefix=PREFIX,
        abp_tags=[Tag(name=name, description=description)],
        abp_security=[{"bearer": []}],
        operation_id_callback=operation_id,
    )
    api.no_store = no_store

    def authenticate() -> None:
        if request.method == "OPTIONS" or declared(current_app.view_functions[str(request.endpoint)]).is_public:
            return
        g.user = auth.user(request.headers.get("Authorization"))
        bind_contextvars(user_id=str(g.user.id))

    api.record(lambda state: allow_origins(cast("Flask", state.app), origins))
    api.before_request(authenticate)
    api.after_request(lambda response: finish(response, no_store=no_store))
    return api


def operation_id(*, bp_name: str, name: str, path: str, method: str) -> str:  # noqa: ARG001  what flask-openapi3 gives
    """An endpoint's name in the OpenAPI document, `jobs_cancel`."""
    return f"{bp_name}_{name}"


def worker_api(worker: str, description: str) -> APIBlueprint:
    """A blueprint whose views are called by Cloud Tasks or Cloud Scheduler, and nobody else."""
    auth = WorkerAuth(load(WorkerAuthSettings), worker)
    api = APIBlueprint(worker, worker, url_prefix=PREFIX, abp_tags=[Tag(name="workers", description=description)])
    api.before_request(lambda: auth.verify(request.headers.get("Authorization")))
    return api


def create_app(*blueprints: APIBlueprint) -> OpenAPI:
    """An app that serves these blueprints; `shared.http.document` makes its document."""
    configure_logging()
    app = OpenAPI(
        "audio_loop",
        info=Info(title="Audio Loop", version="1", description="Phrases to audio, audio to listening."),
        security_schemes=BEARER,
        validation_error_status=400,
        validation_error_model=ErrorAnswer,
        validation_error_callback=refuse,
        doc_ui=False,
    )
    app.request_class = JsonRequest
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.url_map.converters["id"] = SegmentConverter
    app.config.update(COMPRESS_ALGORITHM="gzip", COMPRESS_MIN_SIZE=1024, COMPRESS_MIMETYPES=["application/json"])
    _answer_errors(app)
    Compress(app)
    _follow_requests(app)
    for blueprint in blueprints:
        app.register_api(blueprint)
    return app


def serve(api: APIBlueprint) -> Callable[[Request], WsgiResponse]:
    """The entry point of a function: https://cloud.google.com/run/docs/write-functions#http_functions."""

    @cache
    def app() -> Flask:
        return create_app(api)

    def entry(request: Request) -> WsgiResponse:
        return WsgiResponse.from_app(app().wsgi_app, request.environ)

    entry.__name__ = api.name
    functions_framework.http(entry)
    return entry


def allow_origins(app: Flask, origins: Sequence[str]) -> None:
    """CORS for the web app's origins and for nobody else."""
    if "cors" in app.extensions:
        return
    app.extensions["cors"] = CORS(
        app,
        origins=list(origins),
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        max_age=600,
        always_send=False,
        vary_header=False,  # the answers of this app vary by origin whoever asks, see `_follow_requests`
    )


def refuse(error: ValidationError) -> NoReturn:
    """Raises ValidationFailed naming each field as `body.name`, without the value that was sent."""
    parts = {hint.__name__: part for part, hint in _annotations().items()}
    part = parts.get(error.title, "request")
    raise errors.ValidationFailed(
        fields=[
            {"path": ".".join([part, *map(str, fault["loc"])]), "message": fault["msg"].removeprefix("Value error, ")}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    )


def _annotations() -> dict[str, type]:
    view = current_app.view_functions[str(request.endpoint)]
    return {part: hint for part, hint in view.__annotations__.items() if isinstance(hint, type)}


def _follow_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        identify(request)
        g.began = time.monotonic()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers.setdefault("Cache-Control", PRIVATE)
        response.vary.add("Origin")
        milliseconds = round((time.monotonic() - g.began) * 1000, 1)
        log.info("request", method=request.method, path=request.path, status=response.status_code, ms=milliseconds)
        return response


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(errors.AppError)
    def known(error: errors.AppError) -> Response:
        if error.status == 500:
            log.error("failed", exc_info=error)
        elif error.status > 500:
            log.warning("failed for now", exc_info=error)
        return error_answer(error)

    @app.errorhandler(HTTPException)
    def refused_by_flask(error: HTTPException) -> Response:
        response = error_answer(_translate(error))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("crashed", exc_info=error)
        return error_answer(errors.AppError())


def _translate(error: HTTPException) -> errors.AppError:
    match error:
        case MethodNotAllowed():
            return errors.MethodNotAllowed()
        case RequestEntityTooLarge():
            return errors.LimitExceeded("The body is larger than 256 KiB.")
        case HTTPException(code=404):
            return errors.NotFound()
        case HTTPException(code=int(code)) if code < 500:
            return errors.ValidationFailed(error.description)
        case _:
            return errors.AppError()
