"""With many rows, the queries that matter find theirs by index; none reads all audio segments."""

from collections.abc import Callable

import pytest

from shared.db import audio_segments, builds, garbage, jobs, notebooks, phrases, playback
from shared.db.database import Transaction
from tests.database import Database
from tests.db.logins import rolled_back, signed_in
from tests.db.many_rows import Running, fill
from tests.db.plans import Plans, explain

Query = Callable[[Transaction, Running], object]

# A page or two: reading them whole is the fastest way.
SMALL_TABLES = {"users", "notebooks", "tts_credentials"}

# Of each query, the indexes that it uses; where others do as well, none.
OF_LEARNERS: dict[str, tuple[Query, set[str]]] = {
    "the manifest": (
        lambda transaction, it: playback.load(transaction, it.notebook, None),
        {"audio_segments_idx_notebook_active"},
    ),
    "the manifest of some phrases": (
        lambda transaction, it: playback.load(transaction, it.notebook, [it.phrase]),
        set(),
    ),
    "the first page of jobs": (
        lambda transaction, it: jobs.newest(transaction, it.notebook, None, None, 26),
        {"jobs_idx_notebook_created", "audio_segments_idx_build"},
    ),
    "a job": (
        lambda transaction, it: jobs.get(transaction, it.job),
        {"builds_uq_job", "audio_segments_idx_build"},
    ),
    "the first page of builds": (
        lambda transaction, it: builds.newest(transaction, it.notebook, None, 26),
        {"builds_idx_notebook_created"},
    ),
    "the active segments": (
        lambda transaction, it: audio_segments.active(
            transaction, it.notebook, phrase_id=None, voice_slot=None, status=None, after=None, limit=26
        ),
        {"audio_segments_idx_notebook_active"},
    ),
    "the audio status": (
        lambda transaction, it: notebooks.audio_status(transaction, it.notebook),
        {"audio_segments_idx_notebook_active"},
    ),
    "the first page of phrases": (
        lambda transaction, it: phrases.listing(transaction, it.notebook, "position", "asc", None, 26),
        set(),
    ),
}

OF_WORKERS: dict[str, tuple[Query, set[str]]] = {
    "the claim": (
        lambda transaction, it: audio_segments.claim(transaction, it.segment, 60),
        {"audio_segments_pk"},
    ),
    "how a segment stands": (
        lambda transaction, it: audio_segments.standing(transaction, it.segment),
        {"audio_segments_pk"},
    ),
    "the missing segments": (
        lambda transaction, it: audio_segments.missing(transaction, it.job),
        {"builds_uq_job", "audio_segments_idx_status"},
    ),
    "whether any is missing": (
        lambda transaction, it: audio_segments.is_any_missing(transaction, it.job),
        {"builds_uq_job", "audio_segments_idx_status"},
    ),
    "the outcome of a build": (
        lambda transaction, it: audio_segments.outcome(transaction, it.build),
        {"audio_segments_idx_build"},
    ),
    "stalled jobs": (
        lambda transaction, _: jobs.stalled(transaction, 60),
        {"jobs_idx_state", "builds_uq_job", "audio_segments_idx_build"},
    ),
    "late jobs": (
        lambda transaction, _: jobs.late(transaction),
        {"jobs_idx_state"},
    ),
    "due garbage": (
        lambda transaction, it: garbage.due(transaction, it.build),
        {"audio_segments_idx_build"},
    ),
    "builds with due garbage": (
        lambda transaction, _: garbage.due_builds(transaction, 500),
        {"garbage_idx_not_before"},
    ),
}


@pytest.fixture(scope="module")
def running(module_database: Database) -> Running:
    """One running job among many rows."""
    return fill(module_database)


def check(plans: Plans, indexes: set[str]) -> None:
    """Fail unless the plans use the indexes, and read no table whole that is not small."""
    assert plans.indexes >= indexes
    assert plans.scanned <= SMALL_TABLES


@pytest.mark.parametrize(("query", "indexes"), OF_LEARNERS.values(), ids=OF_LEARNERS)
def test_a_learner_gets(module_database: Database, running: Running, query: Query, indexes: set[str]) -> None:
    with signed_in(module_database, running.user) as transaction:
        plans = explain(transaction, lambda it: query(it, running))

    check(plans, indexes)


@pytest.mark.parametrize(("query", "indexes"), OF_WORKERS.values(), ids=OF_WORKERS)
def test_a_worker_gets(module_database: Database, running: Running, query: Query, indexes: set[str]) -> None:
    with rolled_back(module_database.worker_url) as transaction:
        plans = explain(transaction, lambda it: query(it, running))

    check(plans, indexes)


def test_the_search_for_stalled_jobs_looks_at_no_segment_of_a_job_that_has_ended(
    module_database: Database, running: Running
) -> None:
    with rolled_back(module_database.worker_url) as transaction:
        plans = explain(transaction, lambda it: jobs.stalled(it, 60))
        one_build = explain(transaction, lambda it: audio_segments.outcome(it, running.build))

    assert plans.cost < 2 * one_build.cost


def test_a_build_is_activated_by_index(module_database: Database, running: Running) -> None:
    with rolled_back(module_database.worker_url) as transaction:
        audio_segments.fail_all(transaction, running.build, "quota", "The quota is used up.")
        plans = explain(transaction, lambda it: builds.activate(it, running.notebook, running.build))

    check(plans, {"audio_segments_idx_build", "audio_segments_idx_notebook_active"})
