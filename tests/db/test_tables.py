"""What the tables do by themselves: values, defaults, generated columns, triggers, positions, cascades."""

from collections import defaultdict
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from shared.dto.audio_segments import SegmentStatus
from shared.dto.jobs import JobState
from shared.dto.voices import VoiceSlot
from tests.database import Database
from tests.db.logins import rolled_back, signed_in
from tests.db.rows import Possessions, Rows
from tests.db.snapshots import rows_about

ENUMS = {
    "voice_slot_enum": [slot.value for slot in VoiceSlot],
    "audio_status_enum": [status.value for status in SegmentStatus],
    "job_type_enum": ["GENERATE_REBUILD"],
    "job_state_enum": [state.value for state in JobState],
}

NULLABLE = {
    "notebooks": {"current_build_id", "last_generate_job_id"},
    "phrases": {"tokens"},
    "jobs": {"started_at", "ended_at", "timeout_sec", "error", "total_count", "complete_count", "failed_count"},
    "audio_segments": {
        "duration_ms",
        "size_bytes",
        "error_code",
        "error_details",
        "word_timings",
        "text_sha256",
        "claimed_until",
    },
    "idempotency_keys": {"location"},
}


@pytest.fixture(scope="module")
def own(module_database: Database) -> Possessions:
    """What one learner has."""
    return Rows(module_database).possessions()


def test_the_enums_have_the_values_that_the_code_knows_in_the_order_they_are_played(module_database: Database) -> None:
    enums = module_database.fetch(
        """
        select typname, array_agg(enumlabel::text order by enumsortorder) as labels
        from pg_enum
        join pg_type on pg_type.oid = enumtypid
        group by typname
        """
    )

    assert {enum["typname"]: enum["labels"] for enum in enums} == ENUMS


def test_only_these_columns_may_be_null(module_database: Database) -> None:
    columns = module_database.fetch(
        """
        select table_name, column_name
        from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where table_schema in ('public', 'private')
          and table_type = 'BASE TABLE'
          and is_nullable = 'YES'
        """
    )
    nullable: dict[str, set[str]] = defaultdict(set)
    for column in columns:
        nullable[column["table_name"]].add(column["column_name"])

    assert nullable == NULLABLE


def test_the_path_of_a_segment_is_made_of_its_ids(module_database: Database, own: Possessions) -> None:
    segment = module_database.fetch("select path from public.audio_segments where id = %s", [own.segment])

    assert [row["path"] for row in segment] == [
        f"audio/{own.user}/{own.notebook}/{own.build}/{own.phrase}/{VoiceSlot.EN1}.mp3"
    ]


@pytest.mark.parametrize("slot", list(VoiceSlot))
def test_the_path_of_a_segment_ends_with_its_slot(module_database: Database, own: Possessions, slot: VoiceSlot) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        segment = transaction.execute(
            "update public.audio_segments set voice_slot = %s where id = %s returning path", [slot, own.segment]
        ).fetchone()

    assert segment is not None
    assert segment["path"].rpartition("/")[2] == f"{slot}.mp3"


def test_the_path_of_a_segment_cannot_be_written(module_database: Database, own: Possessions) -> None:
    with rolled_back(module_database.admin_url) as transaction, pytest.raises(psycopg.errors.GeneratedAlways):
        transaction.execute("update public.audio_segments set path = 'audio/elsewhere' where id = %s", [own.segment])


@pytest.mark.parametrize(
    "update",
    [
        "update public.notebooks set name = name where id = %(notebook)s returning updated_at, now()",
        "update public.phrases set pl_text = pl_text where id = %(phrase)s returning updated_at, now()",
        "update public.audio_segments set attempts = attempts where id = %(segment)s returning updated_at, now()",
        "update public.notebooks set updated_at = '2020-01-01' where id = %(notebook)s returning updated_at, now()",
    ],
    ids=["notebooks", "phrases", "audio_segments", "whatever is written"],
)
def test_every_update_sets_updated_at(module_database: Database, own: Possessions, update: LiteralString) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        row = transaction.execute(update, own.ids()).fetchone()

    assert row is not None
    assert row["updated_at"] > row["now"]


def test_a_new_segment_is_missing_and_inactive(module_database: Database, own: Possessions) -> None:
    with rolled_back(module_database.admin_url) as transaction:
        segment = transaction.execute(
            """
            insert into public.audio_segments (user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id)
            values (%(user)s, %(notebook)s, %(phrase)s, 'PL', %(build)s, 'pl-PL-Standard-A')
            returning status, is_active, sample_rate_hz, bitrate_kbps, attempts
            """,
            own.ids(),
        ).fetchone()

    assert segment == {
        "status": "missing",
        "is_active": False,
        "sample_rate_hz": 22050,
        "bitrate_kbps": 64,
        "attempts": 0,
    }


def test_an_account_of_supabase_auth_has_a_row_at_once(database: Database) -> None:
    user_id = database.create_user()

    assert database.fetch("select id from public.users") == [{"id": user_id}]


class TestPositions:
    @pytest.fixture
    def notebook(self, rows: Rows) -> UUID:
        """A notebook with phrases at positions 10 and 20."""
        notebook_id = rows.notebook(rows.database.create_user())
        rows.phrase(notebook_id, 10)
        rows.phrase(notebook_id, 20)
        return notebook_id

    def test_two_phrases_swap_their_positions_in_one_statement(self, rows: Rows, notebook: UUID) -> None:
        before = self.order(rows.database, notebook)

        rows.database.execute("update public.phrases set position = 30 - position where notebook_id = %s", [notebook])

        assert self.order(rows.database, notebook) == before[::-1]

    def test_two_phrases_swap_their_positions_in_two_statements_if_the_check_is_put_off(
        self, rows: Rows, notebook: UUID
    ) -> None:
        first, second = self.order(rows.database, notebook)

        with psycopg.connect(rows.database.admin_url) as connection:
            connection.execute("set constraints public.phrases_uq_notebook_position deferred")
            connection.execute("update public.phrases set position = 20 where id = %s", [first])
            connection.execute("update public.phrases set position = 10 where id = %s", [second])

        assert self.order(rows.database, notebook) == [second, first]

    def test_a_position_that_is_taken_is_refused_at_once(self, rows: Rows, notebook: UUID) -> None:
        with pytest.raises(psycopg.errors.UniqueViolation, match="phrases_uq_notebook_position"):
            rows.database.execute("update public.phrases set position = 10 where notebook_id = %s", [notebook])

    @staticmethod
    def order(database: Database, notebook_id: UUID) -> list[UUID]:
        phrases = database.fetch(
            "select id from public.phrases where notebook_id = %s order by position", [notebook_id]
        )
        return [phrase["id"] for phrase in phrases]


class TestDeleting:
    def test_an_account_takes_everything_along_but_the_list_of_its_objects(self, rows: Rows) -> None:
        own, other = rows.possessions(), rows.possessions()
        others = rows_about(rows.database, other.user)

        rows.database.execute("delete from auth.users where id = %s", [own.user])

        assert set(rows_about(rows.database, own.user)) == {"private.garbage"}
        assert rows_about(rows.database, other.user) == others

    def test_a_notebook_takes_along_what_is_in_it_and_no_other(self, rows: Rows) -> None:
        own = rows.possessions()
        kept = rows.notebook(own.user, "Kept")
        rows.phrase(kept)

        rows.database.execute("delete from public.notebooks where id = %s", [own.notebook])

        left = rows_about(rows.database, own.user)
        assert [phrase["notebook_id"] for phrase in left["public.phrases"]] == [str(kept)]
        assert not {"public.import_logs", "public.jobs", "public.builds", "public.audio_segments"} & set(left)

    def test_a_learner_can_delete_a_notebook_although_they_may_not_delete_what_is_in_it(self, rows: Rows) -> None:
        own = rows.possessions()

        with signed_in(rows.database, own.user) as transaction:
            transaction.execute("delete from public.notebooks where id = %s", [own.notebook])

            assert transaction.execute("select from public.audio_segments").rowcount == 0

    def test_a_phrase_takes_its_segments_along(self, rows: Rows) -> None:
        own = rows.possessions()

        rows.database.execute("delete from public.phrases where id = %s", [own.phrase])

        assert "public.audio_segments" not in rows_about(rows.database, own.user)
        assert len(rows_about(rows.database, own.user)["public.builds"]) == 2

    def test_a_job_takes_its_build_along_and_the_notebook_forgets_both(self, rows: Rows) -> None:
        own = rows.possessions()

        rows.database.execute("delete from public.jobs where id = %s", [own.job])

        assert rows.database.fetch("select current_build_id, last_generate_job_id from public.notebooks") == [
            {"current_build_id": None, "last_generate_job_id": None}
        ]
        assert [build["id"] for build in rows_about(rows.database, own.user)["public.builds"]] == [
            str(own.canceled_build)
        ]
