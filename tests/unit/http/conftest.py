"""An app with the throw-away function, and a learner who calls it."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.http import create_app
from shared.logging import configure_logging
from tests.unit.http.things_api import Learner, things_api
from tests.unit.token_issuer import TokenIssuer, publishing

APP = "https://app.example"
OTHER_APP = "http://localhost:8080"


@pytest.fixture(scope="session")
def issuer() -> Iterator[TokenIssuer]:
    """Who signs the tokens."""
    with publishing(TokenIssuer()) as issuer:
        yield issuer


@pytest.fixture
def learner(
    environment: Callable[..., None],
    issuer: TokenIssuer,
    logging_restored: None,  # noqa: ARG001  an app logs to where it wants
) -> Learner:
    """Calls an app of the throw-away function, and of one at `/secrets` whose answers are not to be stored."""
    environment(SUPABASE_URL=issuer.origin, APP_ORIGINS=f"{APP},{OTHER_APP}")
    app = create_app(things_api(), things_api("secrets", no_store=True))
    return Learner(app.test_client(), issuer)


@pytest.fixture
def log(learner: Learner) -> Callable[[], list[dict[str, Any]]]:  # noqa: ARG001  comes after the app, which logs elsewhere
    """What is logged while the learner calls."""
    stream = io.StringIO()
    configure_logging(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
