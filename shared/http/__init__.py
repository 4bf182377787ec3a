"""HTTP: what the API functions and the workers have in common at their edge."""

from shared.http.answers import answer, no_content, repeatable_answer
from shared.http.app import create_app, serve, user_api, worker_api
from shared.http.declarations import MP3, public, refuses, sends
from shared.http.requests import caller

__all__ = [
    "MP3",
    "answer",
    "caller",
    "create_app",
    "no_content",
    "public",
    "refuses",
    "repeatable_answer",
    "sends",
    "serve",
    "user_api",
    "worker_api",
]
