"""What Postgres refuses reaches the learner as one of our errors, and says what to do."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from shared.auth import User
from shared.db import jobs, notebooks, phrases, tts_credentials, user_voices
from shared.db.database import Database as Connections
from shared.db.database import Transaction
from shared.db.violations import ERRORS
from shared.dto.jobs import JobState
from shared.dto.voices import VoiceSlot
from shared.errors import (
    AppError,
    CannotCancel,
    DatabaseFailed,
    JobInProgress,
    LimitExceeded,
    NotFound,
    UniqueViolation,
    ValidationFailed,
    VoiceConflict,
)
from tests.database import Database
from tests.db.rows import Possessions, Rows

# A step of a job that the database refuses is a fault of ours, and no request can bring it about.
OUR_FAULT = {"jobs_state_step"}


@pytest.fixture
def own(rows: Rows) -> Possessions:
    """What one learner has."""
    return rows.possessions()


def raised_by_functions(database: Database) -> set[str]:
    """The names that functions give to what they refuse."""
    sources = database.fetch("select prosrc from pg_proc where pronamespace = 'private'::regnamespace")
    return {name for source in sources for name in re.findall(r"constraint = '(\w+)'", source["prosrc"])}


def declared(database: Database) -> set[str]:
    """The names of constraints and unique indexes."""
    names = database.fetch(
        """
        select conname as name
        from pg_constraint
        union
        select relname
        from pg_index
        join pg_class on pg_class.oid = indexrelid
        where indisunique
        """
    )
    return {row["name"] for row in names}


def test_every_name_that_is_translated_exists(module_database: Database) -> None:
    assert set(ERRORS) - declared(module_database) - raised_by_functions(module_database) == set()


def test_every_refusal_of_a_function_is_translated(module_database: Database) -> None:
    assert raised_by_functions(module_database) - set(ERRORS) == OUR_FAULT


@pytest.mark.parametrize("constraint", ERRORS)
def test_every_translation_says_what_is_wrong(constraint: str) -> None:
    error = ERRORS[constraint]()

    assert 400 <= error.status < 500
    assert error.message
    assert constraint not in error.message


class TestWhatALearnerIsTold:
    def refusal(self, api: Connections, user_id: UUID, ask: Callable[[Transaction], object]) -> AppError:
        """What a request is refused with."""
        with pytest.raises(AppError) as refusal, api.as_user(User(user_id)) as transaction:
            ask(transaction)
        return refusal.value

    def test_the_name_of_a_notebook_is_taken(self, api: Connections, own: Possessions) -> None:
        refusal = self.refusal(api, own.user, lambda it: notebooks.add(it, "notebook"))

        assert isinstance(refusal, UniqueViolation)

    def test_there_are_too_many_phrases(self, api: Connections, own: Possessions) -> None:
        refusal = self.refusal(api, own.user, lambda it: phrases.add_all(it, own.notebook, [("a", "b")] * 101))

        assert isinstance(refusal, LimitExceeded | UniqueViolation)

    def test_a_position_is_taken(self, api: Connections, own: Possessions) -> None:
        refusal = self.refusal(api, own.user, lambda it: phrases.add_all(it, own.notebook, [("Hi.", "Hej.")]))

        assert isinstance(refusal, UniqueViolation)

    def test_the_notebook_of_a_phrase_is_anothers(self, api: Connections, rows: Rows, own: Possessions) -> None:
        other = rows.notebook(rows.database.create_user())

        refusal = self.refusal(api, own.user, lambda it: phrases.add_all(it, other, [("Hi.", "Hej.")]))

        assert type(refusal) is NotFound

    def test_a_voice_is_in_another_slot(self, api: Connections, own: Possessions) -> None:
        refusal = self.refusal(
            api, own.user, lambda it: user_voices.put(it, VoiceSlot.EN1, "en", user_voices.listing(it)[1].voice_id)
        )

        assert isinstance(refusal, VoiceConflict)

    def test_a_key_was_not_tested(self, api: Connections, own: Possessions) -> None:
        refusal = self.refusal(
            api, own.user, lambda it: tts_credentials.store(it, b"hmac of another", b"", "SHA256:0123456789abcdef")
        )

        assert isinstance(refusal, ValidationFailed)
        assert refusal.details["fields"][0]["path"] == "body.google_api_key"

    def test_a_job_is_under_way(self, api: Connections, rows: Rows, own: Possessions) -> None:
        rows.job(own.notebook)

        refusal = self.refusal(api, own.user, lambda it: jobs.start(it, own.notebook, 1800))

        assert isinstance(refusal, JobInProgress)

    @pytest.mark.parametrize("table", ["tts_credentials", "user_voices", "phrases"])
    def test_a_job_lacks_its_key_its_voices_or_its_phrases(
        self, api: Connections, database: Database, own: Possessions, table: str
    ) -> None:
        database.execute(f"delete from public.{table}")  # noqa: S608

        refusal = self.refusal(api, own.user, lambda it: jobs.start(it, own.notebook, 1800))

        assert isinstance(refusal, ValidationFailed)

    def test_a_job_lacks_one_of_its_voices(self, api: Connections, database: Database, own: Possessions) -> None:
        database.execute("delete from public.user_voices where slot = 'EN3'")

        refusal = self.refusal(api, own.user, lambda it: jobs.start(it, own.notebook, 1800))

        assert isinstance(refusal, ValidationFailed)

    def test_there_is_no_such_notebook_or_job(self, api: Connections, own: Possessions) -> None:
        assert type(self.refusal(api, own.user, lambda it: jobs.start(it, uuid4(), 1800))) is NotFound
        assert type(self.refusal(api, own.user, lambda it: jobs.cancel(it, uuid4()))) is NotFound

    def test_a_job_has_ended(self, api: Connections, own: Possessions) -> None:
        assert isinstance(self.refusal(api, own.user, lambda it: jobs.cancel(it, own.job)), CannotCancel)

    @pytest.mark.parametrize(
        "statement",
        ["select 1 / 0", "selekt", "select from public.nowhere", "delete from public.jobs", "select 'x'::uuid"],
    )
    def test_everything_else_is_our_fault_and_tells_nothing(
        self, api: Connections, own: Possessions, statement: str
    ) -> None:
        refusal = self.refusal(api, own.user, lambda it: it.execute(statement))

        assert isinstance(refusal, DatabaseFailed)
        assert (refusal.status, refusal.code, refusal.details) == (500, "internal", {})
        assert refusal.message == DatabaseFailed.__doc__


def test_a_step_that_a_job_cannot_take_is_our_fault(workers: Connections, own: Possessions) -> None:
    with pytest.raises(DatabaseFailed), workers.transaction() as transaction:
        jobs.end(transaction, own.job, JobState.FAILED)


@pytest.mark.usefixtures("own")
def test_what_is_only_refused_at_the_end_of_a_transaction_is_translated_too(workers: Connections) -> None:
    with pytest.raises(DatabaseFailed), workers.transaction() as transaction:
        transaction.execute("update public.notebooks set current_build_id = gen_random_uuid()")
