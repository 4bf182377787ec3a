"""Whose calls a worker accepts: those of the service account of our tasks, for this very worker."""

from typing import Any

import pytest

from shared.auth import WorkerAuth
from tests.unit.auth.tokens import ACCOUNT, changed, is_refused, worker_auth
from tests.unit.token_issuer import EC, RSA, TokenIssuer


@pytest.mark.parametrize("google", ["https://accounts.google.com", "accounts.google.com"])
def test_the_account_of_our_tasks_is_accepted(
    workers: WorkerAuth, issuer: TokenIssuer, task_claims: dict[str, Any], google: str
) -> None:
    workers.verify(f"Bearer {issuer.sign({**task_claims, 'iss': google}, RSA)}")
    assert issuer.fetches == ["/certs"]


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://accounts.example"},
        {"iss": None},
        {"aud": "https://fan-out.example"},
        {"aud": "https://{worker}.example"},
        {"aud": None},
        {"email": "somebody@project.iam.gserviceaccount.com"},
        {"email": ACCOUNT.upper()},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
    ],
    ids=str,
)
def test_a_task_with_a_wrong_claim_is_refused(
    workers: WorkerAuth, issuer: TokenIssuer, task_claims: dict[str, Any], change: dict[str, Any]
) -> None:
    assert is_refused(workers.verify, f"Bearer {issuer.sign(changed(task_claims, change), RSA)}")


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "Bearer a.b.c"])
def test_a_task_without_a_token_is_refused(workers: WorkerAuth, authorization: str | None) -> None:
    assert is_refused(workers.verify, authorization)


def test_a_task_with_another_algorithm_than_googles_is_refused(
    workers: WorkerAuth, issuer: TokenIssuer, task_claims: dict[str, Any]
) -> None:
    assert is_refused(workers.verify, f"Bearer {issuer.sign(task_claims, EC)}")


def test_a_task_for_one_worker_is_refused_by_another(issuer: TokenIssuer, task_claims: dict[str, Any]) -> None:
    assert is_refused(worker_auth(issuer, "sweep").verify, f"Bearer {issuer.sign(task_claims, RSA)}")


def test_a_learners_token_does_not_wake_a_worker(
    workers: WorkerAuth, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    assert is_refused(workers.verify, f"Bearer {issuer.sign(claims, RSA)}")
