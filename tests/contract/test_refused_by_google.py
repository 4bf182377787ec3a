"""What Google answers to a key that was good when it was stored, and is not any more."""

import pytest

from tests.contract.calling import call, undeclared
from tests.contract.document import Operation, operations
from tests.learner import Learner, refused
from tests.system import System

ASKING_GOOGLE = [each for each in operations() if str(each) in ("GET /api/voices", "POST /api/voices:preview")]


def replace_key(system: System, learner: Learner, key: str) -> None:
    """Put another key where the learner's own is stored, without a test."""
    system.database.execute(
        "update public.tts_credentials set encrypted_key = %s where user_id = %s",
        [system.key_ring().encrypt(key, learner.id), learner.id],
    )


@pytest.mark.parametrize("operation", ASKING_GOOGLE, ids=str)
@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("AIzaDisabledMeanwhile", 400, "invalid_key"),
        ("AIzaQuotaMeanwhile", 402, "quota_exceeded"),
        ("AIzaSlowMeanwhile", 504, "tts_timeout"),
    ],
)
def test_who_asks_google_is_told_what_it_says_of_the_key(
    system: System, operation: Operation, key: str, status: int, code: str
) -> None:
    learner = system.learner()
    learner.store_key()
    replace_key(system, learner, key)
    response = call(system.app, operation, f"Bearer {learner.token}")
    assert refused(response) == (status, code)
    assert key not in response.text
    assert undeclared(operation, response) == []
