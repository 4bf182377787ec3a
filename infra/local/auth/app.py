"""The HTTP side: routes, bearer tokens, errors in the shape that the client's API version asks for."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask, Response, jsonify, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from infra.local.auth.bodies import Credentials, NewUser, Refresh, SignUp, UserChange, UserDeletion, parse
from infra.local.auth.errors import (
    AuthError,
    DatabaseUnreachable,
    InvalidCredentials,
    NoAuthorization,
    UserNotFound,
    ValidationFailed,
)
from infra.local.auth.passwords import MIN_LENGTH
from infra.local.auth.service import AuthService
from infra.local.auth.sessions import Scope

MAX_BODY_BYTES = 64 * 1024
VERSION_HEADER = "X-Supabase-Api-Version"
VERSION = "2024-01-01"
CORS_HEADERS = ["apikey", "authorization", "content-type", "x-client-info", VERSION_HEADER]


def auth_app(service: AuthService, origins: Sequence[str]) -> Flask:
    """The WSGI app that belongs at `/auth/v1`; only `origins` may call it from a browser."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    CORS(app, origins=list(origins), allow_headers=CORS_HEADERS, expose_headers=[VERSION_HEADER], max_age=600)
    app.register_error_handler(AuthError, answer_error)
    app.register_error_handler(psycopg.OperationalError, lambda _: answer_error(DatabaseUnreachable()))
    app.register_error_handler(psycopg.DataError, lambda _: answer_error(ValidationFailed()))
    app.register_error_handler(HTTPException, answer_http_error)
    app.after_request(forbid_caching)
    add_routes(app, Endpoints(service))
    return app


class Endpoints:
    """One method for each endpoint of the protocol."""

    def __init__(self, service: AuthService) -> None:
        self._service = service

    def health(self) -> Response:
        return jsonify(name="GoTrue", version="local", description="A user registration and authentication API")

    def settings(self) -> Response:
        return jsonify(
            external={"email": True, "phone": False, "anonymous_users": False},
            disable_signup=False,
            mailer_autoconfirm=True,
            phone_autoconfirm=False,
            password_min_length=MIN_LENGTH,
        )

    def jwks(self) -> Response:
        response = jsonify(self._service.tokens.jwks())
        response.headers["Cache-Control"] = "public, max-age=600"
        return response

    def sign_up(self) -> Response:
        return jsonify(self._service.sign_up(parse(SignUp, request.get_data())))

    def token(self) -> Response:
        match request.args.get("grant_type"):
            case "password":
                return jsonify(self._service.sign_in(parse(Credentials, request.get_data())))
            case "refresh_token":
                return jsonify(self._service.refresh(parse(Refresh, request.get_data()).refresh_token))
            case _:
                raise InvalidCredentials("unsupported_grant_type")

    def user(self) -> Response:
        return jsonify(self._service.caller(bearer_token()).account.as_json())

    def change_user(self) -> Response:
        caller = self._service.caller(bearer_token())
        return jsonify(self._service.change_user(caller, parse(UserChange, request.get_data())))

    def sign_out(self) -> Response:
        caller = self._service.caller(bearer_token())
        scope = request.args.get("scope") or Scope.GLOBAL
        if scope not in set(Scope):
            raise ValidationFailed(f'Unsupported logout scope "{scope}"')
        self._service.sign_out(caller, Scope(scope))
        return Response(status=204)

    def create_user(self) -> Response:
        self._service.require_admin(bearer_token())
        return jsonify(self._service.create_user(parse(NewUser, request.get_data())))

    def show_user(self, user_id: str) -> Response:
        self._service.require_admin(bearer_token())
        return jsonify(self._service.user(existing(user_id)))

    def delete_user(self, user_id: str) -> Response:
        self._service.require_admin(bearer_token())
        if request.content_length and parse(UserDeletion, request.get_data()).should_soft_delete:
            raise ValidationFailed("Soft deletion is not supported on this machine")
        self._service.delete_user(existing(user_id))
        return jsonify({})


def add_routes(app: Flask, endpoints: Endpoints) -> None:
    app.add_url_rule("/health", view_func=endpoints.health)
    app.add_url_rule("/settings", view_func=endpoints.settings)
    app.add_url_rule("/.well-known/jwks.json", view_func=endpoints.jwks)
    app.add_url_rule("/signup", view_func=endpoints.sign_up, methods=["POST"])
    app.add_url_rule("/token", view_func=endpoints.token, methods=["POST"])
    app.add_url_rule("/user", view_func=endpoints.user)
    app.add_url_rule("/user", view_func=endpoints.change_user, methods=["PUT"])
    app.add_url_rule("/logout", view_func=endpoints.sign_out, methods=["POST"])
    app.add_url_rule("/admin/users", view_func=endpoints.create_user, methods=["POST"])
    app.add_url_rule("/admin/users/<user_id>", view_func=endpoints.show_user)
    app.add_url_rule("/admin/users/<user_id>", view_func=endpoints.delete_user, methods=["DELETE"])


def bearer_token() -> str:
    """The token of the Authorization header; raises NoAuthorization."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoAuthorization
    return token.strip()


def existing(user_id: str) -> UUID:
    """The id in a path; raises UserNotFound where it is none."""
    try:
        return UUID(user_id)
    except ValueError:
        raise UserNotFound("user_id must be an UUID") from None


def answer_error(error: AuthError) -> Response:
    """An error as the client's API version wants it.

    https://supabase.com/docs/guides/auth/debugging/error-codes, https://github.com/supabase/auth#api-versions
    """
    return answer_refusal(error.status, error.code, error.message, error.details)


def answer_http_error(error: HTTPException) -> Response:
    """What Flask itself refuses, as an unknown path, a method, a body too large; and what went wrong here."""
    status = error.code or 500
    response = answer_refusal(status, "validation_failed" if status < 500 else AuthError.code, error.name, {})
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


def answer_refusal(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
    """The body of a refusal."""
    if request.headers.get(VERSION_HEADER, "") >= VERSION:
        response = jsonify({"code": code, "message": message} | details)
        response.headers[VERSION_HEADER] = VERSION
    else:
        response = jsonify({"code": status, "error_code": code, "msg": message} | details)
    response.status_code = status
    return response


def forbid_caching(response: Response) -> Response:
    """Everything but the key set is about one person."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
