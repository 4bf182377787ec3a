"""HTTP: what the API functions and the workers have in common at their edge."""

from shared.http.answers import answer, no_content, repeatable_answer
from shared.http.app import create_app, serve, user_api, worker_api
from shared.http.requests import caller, public

__all__ = [
    "answer",
    "caller",
    "create_app",
    "no_content",
    "public",
    "repeatable_answer",
    "serve",
    "user_api",
    "worker_api",
]
