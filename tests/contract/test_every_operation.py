"""What every operation has in common, asked of each of them: the answers that follow from what it takes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.local.auth import service_key
from infra.local.part import Part
from infra.local.stack import DEFAULT_USER_ID
from tests.contract.calling import call, example_of, path_of, undeclared
from tests.contract.document import DOCUMENT, Operation, operations
from tests.contract.fuzzing import User, signed_up
from tests.learner import Learner, refused, seen
from tests.system import System

OPERATIONS = operations()
TAKING_INPUT = [each for each in OPERATIONS if "400" in each.answers]
TAKING_IDS = [each for each in OPERATIONS if "404" in each.answers]
NAMING_THINGS = [each for each in TAKING_IDS if each.parameters("path") != ["slot"]]
TAKING_BODIES = [each for each in OPERATIONS if "413" in each.answers]
LIMITED = [each for each in OPERATIONS if "429" in each.answers]
WITH_ETAG = [each for each in OPERATIONS if "304" in each.answers]
BUCKETS = ("generate", "test", "preview", "write", "read")
METHODS = {"get", "post", "put", "patch", "delete"}
TOO_LARGE = {"padding": " " * 256 * 1024}


@pytest.fixture(scope="module")
def learner(system: System) -> Learner:
    """A learner to whom nothing belongs."""
    return system.learner()


@pytest.fixture(scope="module")
def owner(system: System) -> User:
    """A learner with one of everything."""
    return signed_up(system)


@pytest.fixture(scope="module")
def app_without_database(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of the same learners, where Postgres is out of reach."""
    home = system.home
    settings = system.stack._settings(json.loads((home / "secrets.json").read_text()))
    environment = {
        **settings,
        "DATABASE_URL": "postgresql://api_login@127.0.0.1:1/nowhere",
        "DATABASE_TIMEOUT_SECONDS": "0.1",
        "LOCAL_AUTH_DATABASE_URL": system.database.auth_url,
        "LOCAL_AUTH_KEYS": str(home / "auth"),
        "SUPABASE_SERVICE_KEY": service_key(home / "auth", system.app),
        "DEFAULT_USER_ID": DEFAULT_USER_ID,
    }
    log: Path = tmp_path_factory.mktemp("without-database") / "gateway.log"
    part = Part("infra.local.gateway", ["--port", "0"], environment, log)
    try:
        yield part.wait_until_ready()["url"]
    finally:
        part.stop()


def bearer(learner: Learner) -> str:
    return f"Bearer {learner.token}"


def broken_path_of(operation: Operation) -> str:
    """A path, or a query, that does not fit."""
    if "slot" in operation.parameters("path"):
        return operation.path.replace("{slot}", "EN9")
    for parameter in operation.parameters("path"):
        return operation.path.replace(f"{{{parameter}}}", "no-id")
    return f"{operation.path}?{'&'.join(f'{name}=%00' for name in operation.parameters('query'))}"


@pytest.mark.parametrize("operation", TAKING_INPUT, ids=str)
def test_what_does_not_fit_is_refused(system: System, learner: Learner, operation: Operation) -> None:
    wrong_body = {"unknown": True} if example_of(operation) is not None else None
    response = call(system.app, operation, bearer(learner), path=broken_path_of(operation), json=wrong_body)
    assert refused(response) == (400, "validation_error")
    assert response.json()["error"]["details"]["fields"]
    assert undeclared(operation, response) == []


@pytest.mark.parametrize("operation", TAKING_IDS, ids=str)
def test_what_nobody_knows_is_not_found(system: System, learner: Learner, operation: Operation) -> None:
    path = path_of(operation) if operation in NAMING_THINGS else operation.path.replace("{slot}", "EN1:EN2")
    response = call(system.app, operation, bearer(learner), path=path)
    assert refused(response) == (404, "not_found")
    assert undeclared(operation, response) == []


@pytest.mark.parametrize("operation", NAMING_THINGS, ids=str)
def test_what_is_somebody_elses_is_answered_like_what_nobody_knows(
    system: System, learner: Learner, owner: User, operation: Operation
) -> None:
    unknown = call(system.app, operation, bearer(learner))
    foreign = call(system.app, operation, bearer(learner), path=path_of(operation, owner.ids))
    assert seen(foreign) == seen(unknown)


@pytest.mark.parametrize("operation", TAKING_BODIES, ids=str)
def test_a_body_that_is_too_large_is_refused(system: System, learner: Learner, operation: Operation) -> None:
    response = call(system.app, operation, bearer(learner), json=TOO_LARGE)
    assert refused(response) == (413, "limit_exceeded")
    assert undeclared(operation, response) == []


@pytest.fixture
def hasty(system: System) -> Learner:
    """A learner who has spent all that may be asked in a minute."""
    learner = system.learner()
    system.database.execute(
        """
        insert into private.rate_limits (user_id, bucket, tokens, updated_at)
        select %s, unnest(%s::text[]), -9, now()
        """,
        [learner.id, list(BUCKETS)],
    )
    return learner


@pytest.mark.parametrize("operation", LIMITED, ids=str)
def test_who_asks_too_often_is_told_when_to_come_again(system: System, hasty: Learner, operation: Operation) -> None:
    response = call(system.app, operation, bearer(hasty))
    assert refused(response) == (429, "rate_limited")
    assert int(response.headers["Retry-After"]) >= 1
    assert undeclared(operation, response) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_without_postgres_the_fault_is_ours_and_nothing_is_told_of_it(
    app_without_database: str, learner: Learner, operation: Operation
) -> None:
    response = call(app_without_database, operation, bearer(learner))
    assert response.status_code == 500
    assert undeclared(operation, response) == []
    if operation.definition["security"]:
        message = "Something went wrong on our side. Try again in a moment."
        assert response.json() == {"error": {"code": "internal", "message": message, "details": {}}}
    else:
        assert response.json()["status"] == "degraded"


@pytest.mark.parametrize("operation", WITH_ETAG, ids=str)
def test_a_get_is_answered_once_and_then_known(system: System, owner: User, operation: Operation) -> None:
    path = path_of(operation, owner.ids)
    first = call(system.app, operation, bearer(owner.learner), path=path)
    assert first.status_code == 200
    assert undeclared(operation, first) == []
    tells_the_time = operation.path == "/api/health"
    known = {"If-None-Match": "*" if tells_the_time else first.headers["ETag"]}
    second = call(system.app, operation, bearer(owner.learner), path=path, headers=known)
    assert (second.status_code, second.content) == (304, b"")
    assert undeclared(operation, second) == []


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_address_takes_the_methods_of_the_document_and_no_other(system: System, learner: Learner, path: str) -> None:
    taken = {each.method for each in OPERATIONS if each.path == path}
    url = system.app + path_of(next(each for each in OPERATIONS if each.path == path))
    for method in sorted(METHODS - taken):
        response = requests.request(method, url, headers={"Authorization": bearer(learner)}, timeout=10)
        assert refused(response) == (405, "method_not_allowed")
        allowed = {each.strip().lower() for each in response.headers["Allow"].split(",")}
        assert allowed - {"head", "options"} == taken
