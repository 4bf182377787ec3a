"""What a learner may see and do: with what is theirs, and with what is another's."""

from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.database import Database
from tests.db.logins import rolled_back, signed_in
from tests.db.rows import Possessions, Rows
from tests.db.snapshots import rows_about

# What a learner may read, and the column that tells the rows apart.
VISIBLE = {
    "users": "id",
    "notebooks": "id",
    "import_logs": "id",
    "phrases": "id",
    "user_voices": "id",
    "tts_credentials": "user_id",
    "jobs": "id",
    "builds": "id",
    "audio_segments": "id",
    "notebook_audio_statuses": "notebook_id",
}

WITHOUT_EFFECT: list[LiteralString] = [
    "update public.notebooks set name = 'stolen'",
    "update public.notebooks set name = 'stolen' where id = %(notebook)s",
    "delete from public.notebooks",
    "delete from public.notebooks where id = %(notebook)s",
    "update public.phrases set en_text = 'stolen'",
    "update public.phrases set position = 99 where id = %(phrase)s",
    "delete from public.phrases",
    "delete from public.phrases where id = %(phrase)s",
    "update public.user_voices set voice_id = 'en-US-Stolen' where slot = 'EN1'",
    "delete from public.user_voices",
]

# No learner may, not even with what is theirs.
REFUSED: list[LiteralString] = [
    "insert into public.users (id) values (gen_random_uuid())",
    "update public.users set created_at = now()",
    "delete from public.users",
    "insert into public.notebooks (name, user_id) values ('Forged', %(user)s)",
    "insert into public.notebooks (name, id) values ('Forged', gen_random_uuid())",
    "insert into public.notebooks (name, current_build_id) values ('Forged', %(build)s)",
    "update public.notebooks set user_id = %(user)s",
    "update public.notebooks set current_build_id = %(canceled_build)s where id = %(notebook)s",
    "update public.notebooks set current_build_id = null",
    "update public.notebooks set last_generate_job_id = null",
    "update public.notebooks set updated_at = now()",
    (
        "insert into public.import_logs (user_id, notebook_id, line_no, raw_text, reason) "
        "values (%(user)s, %(notebook)s, 1, '', '')"
    ),
    "update public.import_logs set reason = ''",
    "delete from public.import_logs",
    (
        "insert into public.phrases (user_id, notebook_id, position, en_text, pl_text) "
        "values (%(user)s, %(notebook)s, 99, 'Hello.', 'Cześć.')"
    ),
    "update public.phrases set user_id = %(user)s",
    "update public.phrases set notebook_id = %(notebook)s",
    (
        "insert into public.user_voices (user_id, slot, language, voice_id) "
        "values (%(user)s, 'EN1', 'en', 'en-US-Standard-C')"
    ),
    "update public.user_voices set user_id = %(user)s",
    "select encrypted_key from public.tts_credentials",
    "select * from public.tts_credentials",
    "select tts_credentials from public.tts_credentials",
    "select from public.tts_credentials where encrypted_key is not null",
    (
        "insert into public.tts_credentials (user_id, encrypted_key, key_fingerprint, last_validated_at) "
        "values (%(user)s, '', 'SHA256:0123456789abcdef', now())"
    ),
    "update public.tts_credentials set encrypted_key = ''",
    "delete from public.tts_credentials",
    "insert into public.jobs (user_id, notebook_id) values (%(user)s, %(notebook)s)",
    "update public.jobs set state = 'canceled'",
    "delete from public.jobs",
    "insert into public.builds (user_id, notebook_id, job_id) values (%(user)s, %(notebook)s, %(job)s)",
    "update public.builds set job_id = %(job)s",
    "delete from public.builds",
    (
        "insert into public.audio_segments (user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id) "
        "values (%(user)s, %(notebook)s, %(phrase)s, 'PL', %(build)s, 'pl-PL-Standard-A')"
    ),
    "update public.audio_segments set is_active = true",
    "update public.audio_segments set status = 'complete'",
    "delete from public.audio_segments",
    "select error_details from public.audio_segments",
    "select voice_id from public.audio_segments",
    "select * from public.audio_segments",
    "truncate public.notebooks cascade",
    "truncate public.phrases cascade",
    "truncate public.user_voices",
    "select from private.rate_limits",
    "select from private.idempotency_keys",
    "select from private.tts_key_tests",
    "select from private.garbage",
    "delete from private.rate_limits",
    "delete from private.garbage",
    "select from auth.users",
    "select private.job_deadline(now(), now(), 1)",
    "select private.queue_garbage(%(build)s, 'audio/')",
    "select private.object_prefix(%(user)s, %(notebook)s, %(build)s)",
]


@pytest.fixture(scope="module")
def own(module_database: Database) -> Possessions:
    """What one learner has."""
    return Rows(module_database).possessions()


@pytest.fixture(scope="module")
def other(module_database: Database) -> Possessions:
    """What another learner has."""
    return Rows(module_database).possessions()


@pytest.fixture(scope="module")
def stranger(module_database: Database) -> UUID:
    """A learner who has nothing yet."""
    return module_database.create_user()


@pytest.mark.parametrize(("relation", "column"), VISIBLE.items(), ids=VISIBLE)
def test_a_learner_sees_what_is_theirs_and_nothing_else(
    module_database: Database, own: Possessions, other: Possessions, relation: str, column: str
) -> None:
    with signed_in(module_database, own.user) as transaction:
        query = SQL("select {}::text as id from public.{}").format(Identifier(column), Identifier(relation))
        seen = {row["id"] for row in transaction.execute(query)}

    of_the_view = [{"notebook_id": str(own.notebook)}]
    theirs = rows_about(module_database, own.user).get(f"public.{relation}", of_the_view)
    assert seen == {row[column] for row in theirs}
    assert not seen & {str(other_id) for other_id in other.ids().values()}


def test_no_relation_that_a_learner_may_read_is_left_untried(module_database: Database) -> None:
    readable = module_database.fetch(
        """
        select relname
        from pg_class
        where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
          and relkind in ('r', 'p', 'v', 'm', 'f')
          and has_any_column_privilege('authenticated', oid, 'select')
        """
    )

    assert {row["relname"] for row in readable} == set(VISIBLE)


@pytest.mark.parametrize("statement", WITHOUT_EFFECT)
def test_what_a_stranger_writes_has_no_effect_on_what_is_anothers(
    module_database: Database, own: Possessions, stranger: UUID, statement: LiteralString
) -> None:
    with signed_in(module_database, stranger) as transaction:
        assert transaction.execute(statement, own.ids()).rowcount == 0


@pytest.mark.parametrize("statement", REFUSED)
def test_no_learner_may(module_database: Database, own: Possessions, statement: LiteralString) -> None:
    with (
        signed_in(module_database, own.user) as transaction,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        transaction.execute(statement, own.ids())


@pytest.mark.parametrize("position", [10, 11], ids=["where a phrase is", "where none is"])
def test_a_phrase_put_into_the_notebook_of_another_is_refused_as_if_there_were_no_notebook(
    module_database: Database, own: Possessions, stranger: UUID, position: int
) -> None:
    with (
        signed_in(module_database, stranger) as transaction,
        pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal,
    ):
        transaction.execute(
            "insert into public.phrases (notebook_id, position, en_text, pl_text) values (%s, %s, 'Hi.', 'Hej.')",
            [own.notebook, position],
        )

    assert refusal.value.diag.constraint_name == "phrases_fk_notebook"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("claims", ["", "{}", '{"sub": null}'])
@pytest.mark.parametrize(("relation", "column"), VISIBLE.items(), ids=VISIBLE)
def test_a_transaction_without_a_learner_sees_nothing(
    module_database: Database, relation: str, column: str, claims: str
) -> None:
    with rolled_back(module_database.api_url) as transaction:
        transaction.execute("set local role authenticated")
        transaction.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        query = SQL("select {} from public.{}").format(Identifier(column), Identifier(relation))

        assert transaction.execute(query).fetchall() == []


def test_a_transaction_without_a_learner_adds_nothing(module_database: Database) -> None:
    with rolled_back(module_database.api_url) as transaction:
        transaction.execute("set local role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            transaction.execute("insert into public.notebooks (name) values ('Nobody''s')")
