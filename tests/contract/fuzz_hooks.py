"""What Schemathesis cannot read from the document: rules that JSON Schema cannot state, and what a stranger may learn.

FUZZ_FOREIGN_IDS holds the ids of the other user, separated by spaces.
"""

import os
from typing import Any
from urllib.parse import unquote

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

AnyCase = Case[Any]

FOREIGN_IDS = tuple(os.environ["FUZZ_FOREIGN_IDS"].split())
REFUSALS = {400, 401, 404, 405, 413}

# A request that fits its schema may break one of these; each is the beginning of a message.
RULES = (
    "This cursor does not belong to this listing",
    "Save a Google Text-to-Speech key",
    "Choose a voice for each of",
    "This notebook has no phrases",
    "Test this key first",
    "Google does not offer this voice",
    "Google refuses this API key",
    "A phrase that is named here is not in this notebook",
    "The slot ",
)
RULES_OF_FIELDS = (
    "a phrase is named twice",
    "two phrases go to the same position",
    "the voice ",
    "this is nested more than ",
    "a NUL character cannot be stored",  # somewhere within `tokens`, which may be any JSON
)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: AnyCase, response: Response) -> bool:  # noqa: ARG001
    """Whether a failure is one: not if what fits the schema was refused by a rule."""
    return not (isinstance(failure, RejectedPositiveData) and response.status_code == 400 and _breaks_a_rule(response))


@schemathesis.check
def foreign_resources_are_not_found(ctx: CheckContext, response: Response, case: AnyCase) -> None:  # noqa: ARG001
    """Whatever names a thing of somebody else is refused, and no answer names one."""
    named = [each for each in FOREIGN_IDS if each in unquote(str(response.request.url)).lower()]
    if named and response.status_code not in REFUSALS:
        raise AssertionError(f"{response.status_code} for {named}, which belongs to somebody else")
    told = [each for each in FOREIGN_IDS if each.encode() in response.content]
    if told:
        raise AssertionError(f"the answer names {told}, which belongs to somebody else")


@schemathesis.check
def errors_have_one_shape(ctx: CheckContext, response: Response, case: AnyCase) -> None:  # noqa: ARG001
    """Refusals have it also where the document says nothing, as for methods that an address does not take."""
    if response.status_code >= 400:
        error = response.json()["error"]
        assert set(error) == {"code", "message", "details"}, error
    assert response.headers["x-request-id"], "no X-Request-Id"


def _breaks_a_rule(response: Response) -> bool:
    error = response.json()["error"]
    fields = error["details"].get("fields", [])
    if error["message"].startswith(RULES):
        return True
    return bool(fields) and all(field["message"].startswith(RULES_OF_FIELDS) for field in fields)
