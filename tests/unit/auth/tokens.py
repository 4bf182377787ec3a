"""Tokens as tests make them, and whether they are refused."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from shared.auth import WorkerAuth
from shared.config import WorkerAuthSettings
from shared.errors import AppError, Unauthorized
from tests.unit.token_issuer import TokenIssuer

Authenticate = Callable[[str | None], Any]

USER_ID = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11")
ACCOUNT = "tasks@project.iam.gserviceaccount.com"
AUDIENCE = "https://synthesize.example"


def worker_auth(issuer: TokenIssuer, worker: str) -> WorkerAuth:
    """Accepts tokens for one worker that this issuer signed in Google's name."""
    settings = WorkerAuthSettings(
        workers_url="https://{worker}.example", tasks_service_account=ACCOUNT, tasks_jwks_url=f"{issuer.origin}/certs"
    )
    return WorkerAuth(settings, worker)


def changed(claims: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The claims with some changed; those changed to None are left out."""
    return {name: value for name, value in {**claims, **change}.items() if value is not None}


def segment(content: Any) -> str:
    """A part of a token: JSON, or bytes as they are, in unpadded base64url."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_refused(authenticate: Authenticate, authorization: str | None) -> bool:
    """Whether this is answered with 401, rather than accepted or a failure of ours."""
    with pytest.raises(AppError) as refusal:
        authenticate(authorization)
    return isinstance(refusal.value, Unauthorized)
