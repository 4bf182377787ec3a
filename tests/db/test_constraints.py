"""Every constraint refuses what it is for, under its own name: code translates violations by name."""

from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from shared.dto.jobs import JobState
from tests.database import Database
from tests.db.logins import rolled_back
from tests.db.rows import Rows

# Each statement violates the constraint beside it and no other that is checked earlier. The learner has
# `possessions()`; `second_...` are of another notebook of theirs with a queued job, whose canceled job has no build;
# `stranger_...` are another learner's.
VIOLATIONS: list[tuple[str, LiteralString]] = [
    ("users_pk", "insert into public.users (id) values (%(user)s)"),
    ("users_fk_auth", "insert into public.users (id) values (gen_random_uuid())"),
    ("notebooks_pk", "insert into public.notebooks (id, user_id, name) values (%(notebook)s, %(user)s, 'Third')"),
    ("notebooks_fk_user", "insert into public.notebooks (user_id, name) values (gen_random_uuid(), 'Orphan')"),
    ("notebooks_uq_user_name", "insert into public.notebooks (user_id, name) values (%(user)s, 'Notebook')"),
    ("notebooks_uq_user_name", "insert into public.notebooks (user_id, name) values (%(user)s, 'NOTEBOOK')"),
    ("notebooks_ck_name", "update public.notebooks set name = '' where id = %(notebook)s"),
    ("notebooks_ck_name", "update public.notebooks set name = ' padded' where id = %(notebook)s"),
    ("notebooks_ck_name", "update public.notebooks set name = 'padded ' where id = %(notebook)s"),
    ("notebooks_ck_name", "update public.notebooks set name = repeat('ż', 101) where id = %(notebook)s"),
    (
        "notebooks_fk_last_generate_job",
        "update public.notebooks set last_generate_job_id = %(second_job)s where id = %(notebook)s",
    ),
    (
        "notebooks_fk_current_build",
        "update public.notebooks set current_build_id = %(second_build)s where id = %(notebook)s",
    ),
    ("import_logs_pk", "insert into public.import_logs select * from public.import_logs where user_id = %(user)s"),
    ("import_logs_fk_notebook", "update public.import_logs set user_id = %(stranger_user)s where user_id = %(user)s"),
    ("import_logs_ck_line_no", "update public.import_logs set line_no = 0"),
    ("phrases_pk", "insert into public.phrases select * from public.phrases where id = %(phrase)s"),
    (
        "phrases_uq_notebook_position",
        """
        insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
        values (%(user)s, %(notebook)s, 10, 'Hello.', 'Cześć.')
        """,
    ),
    ("phrases_fk_notebook", "update public.phrases set user_id = %(stranger_user)s where id = %(phrase)s"),
    (
        "phrases_fk_notebook",
        """
        insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
        values (%(user)s, %(stranger_notebook)s, 20, 'Hello.', 'Cześć.')
        """,
    ),
    ("phrases_ck_en_text", "update public.phrases set en_text = '' where id = %(phrase)s"),
    ("phrases_ck_en_text", "update public.phrases set en_text = repeat('a', 2001) where id = %(phrase)s"),
    ("phrases_ck_pl_text", "update public.phrases set pl_text = '' where id = %(phrase)s"),
    ("phrases_ck_pl_text", "update public.phrases set pl_text = repeat('ż', 2001) where id = %(phrase)s"),
    ("user_voices_pk", "insert into public.user_voices select * from public.user_voices where user_id = %(user)s"),
    (
        "user_voices_uq_user_slot",
        "update public.user_voices set slot = 'EN2' where user_id = %(user)s and slot = 'EN1'",
    ),
    (
        "user_voices_uq_user_language_voice",
        """
        update public.user_voices
        set voice_id = (select voice_id from public.user_voices where user_id = %(user)s and slot = 'EN2')
        where user_id = %(user)s and slot = 'EN1'
        """,
    ),
    ("user_voices_fk_user", "update public.user_voices set user_id = gen_random_uuid() where user_id = %(user)s"),
    (
        "user_voices_ck_slot_language",
        "update public.user_voices set language = 'pl', voice_id = 'pl-PL-Standard-B' where slot = 'EN1'",
    ),
    (
        "user_voices_ck_slot_language",
        "update public.user_voices set language = 'en', voice_id = 'en-US-Standard-B' where slot = 'PL'",
    ),
    ("user_voices_ck_voice_language", "update public.user_voices set voice_id = 'pl-PL-Standard-B' where slot = 'EN1'"),
    ("user_voices_ck_voice_id", "update public.user_voices set voice_id = rpad('en-US-', 101, 'A') where slot = 'EN1'"),
    (
        "tts_credentials_pk",
        """
        insert into public.tts_credentials (user_id, encrypted_key, key_fingerprint, last_validated_at)
        values (%(user)s, 'encrypted', 'SHA256:0123456789abcdef', now())
        """,
    ),
    (
        "tts_credentials_fk_user",
        "update public.tts_credentials set user_id = gen_random_uuid() where user_id = %(user)s",
    ),
    ("tts_credentials_ck_fingerprint", "update public.tts_credentials set key_fingerprint = '0123456789abcdef'"),
    ("tts_credentials_ck_fingerprint", "update public.tts_credentials set key_fingerprint = 'SHA256:0123456789ABCDEF'"),
    (
        "tts_credentials_ck_fingerprint",
        "update public.tts_credentials set key_fingerprint = 'SHA256:0123456789abcdef0'",
    ),
    ("tts_key_tests_pk", "insert into private.tts_key_tests select * from private.tts_key_tests"),
    ("tts_key_tests_fk_user", "update private.tts_key_tests set user_id = gen_random_uuid() where user_id = %(user)s"),
    ("jobs_pk", "insert into public.jobs select * from public.jobs where id = %(job)s"),
    (
        "jobs_uq_notebook_active",
        "insert into public.jobs (user_id, notebook_id) values (%(user)s, %(second_notebook)s)",
    ),
    (
        "jobs_uq_notebook_active",
        """
        insert into public.jobs (user_id, notebook_id, state, started_at)
        values (%(user)s, %(second_notebook)s, 'running', now())
        """,
    ),
    ("jobs_fk_notebook", "insert into public.jobs (user_id, notebook_id) values (%(stranger_user)s, %(notebook)s)"),
    ("jobs_ck_timeout", "update public.jobs set timeout_sec = 0 where id = %(second_job)s"),
    ("jobs_ck_timeout", "update public.jobs set timeout_sec = 86401 where id = %(second_job)s"),
    ("jobs_ck_started", "update public.jobs set state = 'running' where id = %(second_job)s"),
    ("jobs_ck_ended", "update public.jobs set ended_at = now() where id = %(second_job)s"),
    (
        "jobs_ck_ended",
        "insert into public.jobs (user_id, notebook_id, state) values (%(user)s, %(notebook)s, 'canceled')",
    ),
    ("builds_pk", "insert into public.builds select * from public.builds where id = %(build)s"),
    (
        "builds_uq_job",
        "insert into public.builds (user_id, notebook_id, job_id) values (%(user)s, %(notebook)s, %(job)s)",
    ),
    ("builds_fk_notebook", "update public.builds set user_id = %(stranger_user)s where id = %(second_build)s"),
    ("builds_fk_job", "update public.builds set job_id = gen_random_uuid() where id = %(second_build)s"),
    (
        "builds_fk_job",
        "insert into public.builds (user_id, notebook_id, job_id) values (%(user)s, %(notebook)s, %(unbuilt_job)s)",
    ),
    ("audio_segments_pk", "update public.audio_segments set id = %(segment)s where id = %(canceled_segment)s"),
    (
        "audio_segments_uq_phrase_slot_build",
        "update public.audio_segments set build_id = %(build)s where id = %(canceled_segment)s",
    ),
    (
        "audio_segments_uq_active_slot",
        "update public.audio_segments set is_active = true where id = %(canceled_segment)s",
    ),
    (
        "audio_segments_fk_notebook",
        "update public.audio_segments set user_id = %(stranger_user)s where id = %(segment)s",
    ),
    (
        "audio_segments_fk_phrase",
        "update public.audio_segments set phrase_id = %(second_phrase)s where id = %(segment)s",
    ),
    ("audio_segments_fk_build", "update public.audio_segments set build_id = %(second_build)s where id = %(segment)s"),
    ("audio_segments_ck_duration", "update public.audio_segments set duration_ms = 0 where id = %(segment)s"),
    ("audio_segments_ck_duration", "update public.audio_segments set duration_ms = 10000001 where id = %(segment)s"),
    ("audio_segments_ck_size", "update public.audio_segments set size_bytes = -1 where id = %(segment)s"),
    ("audio_segments_ck_sample_rate", "update public.audio_segments set sample_rate_hz = 24000"),
    ("audio_segments_ck_bitrate", "update public.audio_segments set bitrate_kbps = 32"),
    ("audio_segments_ck_attempts", "update public.audio_segments set attempts = -1"),
    ("audio_segments_ck_complete", "update public.audio_segments set duration_ms = null where id = %(segment)s"),
    ("audio_segments_ck_complete", "update public.audio_segments set size_bytes = null where id = %(segment)s"),
    ("audio_segments_ck_complete", "update public.audio_segments set text_sha256 = null where id = %(segment)s"),
    ("audio_segments_ck_failed", "update public.audio_segments set status = 'failed' where id = %(segment)s"),
    ("audio_segments_ck_failed", "update public.audio_segments set error_code = 'quota' where id = %(segment)s"),
    ("audio_segments_ck_error_code", "update public.audio_segments set error_code = 'no such code'"),
    ("audio_segments_ck_active", "update public.audio_segments set status = 'missing' where id = %(segment)s"),
    ("audio_segments_ck_active", "update public.audio_segments set is_active = true where id = %(second_segment)s"),
    ("garbage_pk", "insert into private.garbage select * from private.garbage"),
    ("garbage_ck_prefix", "update private.garbage set prefix = 'audio/'"),
    ("garbage_ck_prefix", "update private.garbage set prefix = rtrim(prefix, '/')"),
    ("garbage_ck_prefix", "update private.garbage set prefix = prefix || 'EN1.mp3'"),
    ("garbage_ck_prefix", "update private.garbage set prefix = 'backup/' || prefix"),
    ("garbage_ck_prefix", "update private.garbage set build_id = %(build)s"),
    ("rate_limits_pk", "insert into private.rate_limits select * from private.rate_limits"),
    ("rate_limits_fk_user", "update private.rate_limits set user_id = gen_random_uuid() where user_id = %(user)s"),
    ("idempotency_keys_pk", "insert into private.idempotency_keys select * from private.idempotency_keys"),
    ("idempotency_keys_fk_user", "update private.idempotency_keys set user_id = gen_random_uuid()"),
]

# Foreign keys need them; they repeat the primary key with one column more, so that one is always violated first.
ONLY_FOR_FOREIGN_KEYS = {
    "notebooks_uq_id_user",
    "phrases_uq_id_notebook",
    "jobs_uq_id_notebook",
    "builds_uq_id_notebook",
}


@pytest.fixture(scope="module")
def ids(module_database: Database) -> dict[str, UUID]:
    """The ids that the statements name."""
    rows = Rows(module_database)
    own = rows.possessions()
    notebook = rows.notebook(own.user, "Second")
    phrase = rows.phrase(notebook)
    job = rows.job(notebook)
    build = rows.build(job)
    second = {
        "second_notebook": notebook,
        "second_phrase": phrase,
        "second_job": job,
        "second_build": build,
        "second_segment": rows.segment(build, phrase),
        "unbuilt_job": rows.job(notebook, JobState.CANCELED),
    }
    return own.ids() | second | rows.possessions().ids("stranger_")


@pytest.mark.parametrize(("constraint", "statement"), VIOLATIONS, ids=[name for name, _ in VIOLATIONS])
def test_a_constraint_refuses_what_it_is_for(
    module_database: Database, ids: dict[str, UUID], constraint: str, statement: LiteralString
) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        transaction.execute("set constraints all immediate")
        with pytest.raises(psycopg.IntegrityError) as refusal:
            transaction.execute(statement, ids)

        assert refusal.value.diag.constraint_name == constraint


def test_no_constraint_is_left_untried(module_database: Database) -> None:
    constraints = module_database.fetch(
        """
        select conname as name
        from pg_constraint
        where connamespace in ('public'::regnamespace, 'private'::regnamespace)
          and contype in ('p', 'u', 'f', 'c', 'x')
        union
        select indexrelid::regclass::text
        from pg_index
        join pg_class on pg_class.oid = indexrelid
        where indisunique
          and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        """
    )
    names = {row["name"].removeprefix("private.") for row in constraints}

    assert names == {name for name, _ in VIOLATIONS} | ONLY_FOR_FOREIGN_KEYS


@pytest.mark.parametrize(
    ("first", "second"), [("Żółw", "ŻÓŁW"), ("Łódź", "łódź")], ids=["all capitals", "first letter"]
)
def test_names_that_differ_in_the_case_of_polish_letters_are_the_same(
    module_database: Database, ids: dict[str, UUID], first: str, second: str
) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        insert: LiteralString = "insert into public.notebooks (user_id, name) values (%s, %s)"
        transaction.execute(insert, [ids["user"], first])
        with pytest.raises(psycopg.errors.UniqueViolation, match="notebooks_uq_user_name"):
            transaction.execute(insert, [ids["user"], second])


def test_two_learners_may_use_the_same_name(module_database: Database, ids: dict[str, UUID]) -> None:
    names = module_database.fetch(
        "select name from public.notebooks where id in (%(notebook)s, %(stranger_notebook)s)", ids
    )

    assert [row["name"] for row in names] == ["Notebook", "Notebook"]


@pytest.mark.parametrize(
    "statement",
    [
        "update public.notebooks set name = repeat('ż', 100) where id = %(notebook)s",
        "update public.phrases set en_text = repeat('a', 2000), pl_text = repeat('ż', 2000) where id = %(phrase)s",
        "update public.jobs set timeout_sec = 1 where id = %(second_job)s",
        "update public.jobs set timeout_sec = 86400 where id = %(second_job)s",
        "update public.jobs set timeout_sec = null where id = %(second_job)s",
        "update public.audio_segments set duration_ms = 1, size_bytes = 0 where id = %(segment)s",
        "update public.audio_segments set duration_ms = 10000000 where id = %(segment)s",
        "update public.user_voices set voice_id = rpad('en-US-', 100, 'A') where slot = 'EN1' and user_id = %(user)s",
        "update private.garbage set prefix = prefix || gen_random_uuid() || '/'",
        "update public.audio_segments set status = 'failed', error_code = 'storage' where id = %(segment)s",
    ],
)
def test_what_just_fits_is_accepted(module_database: Database, ids: dict[str, UUID], statement: LiteralString) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        assert transaction.execute(statement, ids).rowcount > 0
