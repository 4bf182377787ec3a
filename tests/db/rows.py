"""Rows for tests of the database, inserted as superuser."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, LiteralString
from uuid import UUID

from shared.dto.jobs import JobState
from tests.database import Database
from tests.learner import VOICES

ENCRYPTED_KEY = b"encrypted"
KEY_HMAC = b"hmac of the key"
FINGERPRINT = "SHA256:0123456789abcdef"
IDEMPOTENCY_KEY = UUID("11111111-2222-4333-8444-555555555555")


@dataclass(frozen=True)
class Possessions:
    """The ids of what a learner has: a notebook of one phrase, a build that is played, and one that was canceled."""

    user: UUID
    notebook: UUID
    phrase: UUID
    job: UUID
    build: UUID
    segment: UUID
    canceled_job: UUID
    canceled_build: UUID
    canceled_segment: UUID

    def ids(self, prefix: str = "") -> dict[str, UUID]:
        """The ids by name, as parameters of a statement."""
        return {f"{prefix}{name}": value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Rows:
    """Inserts rows, each with what it needs and nothing odd about it, and returns their ids."""

    database: Database

    def insert(self, statement: LiteralString, params: Mapping[str, Any]) -> UUID:
        """The id that an `insert ... returning id` returns."""
        row_id: UUID = self.database.fetch(statement, params)[0]["id"]
        return row_id

    def notebook(self, user_id: UUID, name: str = "Notebook") -> UUID:
        return self.insert(
            "insert into public.notebooks (user_id, name) values (%(user_id)s, %(name)s) returning id",
            {"user_id": user_id, "name": name},
        )

    def phrase(self, notebook_id: UUID, position: int = 10) -> UUID:
        return self.insert(
            """
            insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
            select user_id, id, %(position)s, 'Hello.', 'Cześć.'
            from public.notebooks
            where id = %(notebook_id)s
            returning id
            """,
            {"notebook_id": notebook_id, "position": position},
        )

    def phrases(self, notebook_id: UUID, count: int) -> None:
        """Phrases at positions 1 to `count`, in one statement."""
        self.database.execute(
            """
            insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
            select user_id, id, generate_series(1, %(count)s), 'Hello.', 'Cześć.'
            from public.notebooks
            where id = %(notebook_id)s
            """,
            {"notebook_id": notebook_id, "count": count},
        )

    def voices(self, user_id: UUID) -> None:
        """A voice in every slot."""
        for slot, voice_id in VOICES.items():
            self.database.execute(
                "insert into public.user_voices (user_id, slot, language, voice_id) values (%s, %s, %s, %s)",
                [user_id, slot, voice_id[:2], voice_id],
            )

    def key(self, user_id: UUID) -> None:
        """A stored key, and the test that came before it."""
        self.database.execute(
            """
            insert into public.tts_credentials (user_id, encrypted_key, key_fingerprint, last_validated_at)
            values (%s, %s, %s, now())
            """,
            [user_id, ENCRYPTED_KEY, FINGERPRINT],
        )
        self.database.execute(
            "insert into private.tts_key_tests (user_id, key_hmac) values (%s, %s)", [user_id, KEY_HMAC]
        )

    def job(self, notebook_id: UUID, state: JobState = JobState.QUEUED) -> UUID:
        """A job in some state, without a build."""
        return self.insert(
            """
            insert into public.jobs (user_id, notebook_id, state, started_at, ended_at)
            select
              user_id,
              id,
              %(state)s,
              case when %(is_started)s then now() end,
              case when %(is_ended)s then now() end
            from public.notebooks
            where id = %(notebook_id)s
            returning id
            """,
            {
                "notebook_id": notebook_id,
                "state": state,
                "is_started": state is not JobState.QUEUED,
                "is_ended": state.is_terminal,
            },
        )

    def build(self, job_id: UUID) -> UUID:
        """The build of a job, without segments."""
        return self.insert(
            """
            insert into public.builds (user_id, notebook_id, job_id)
            select user_id, notebook_id, id from public.jobs where id = %(job_id)s
            returning id
            """,
            {"job_id": job_id},
        )

    def segment(self, build_id: UUID, phrase_id: UUID, slot: str = "EN1", status: str = "missing") -> UUID:
        """One segment that is not active."""
        return self.insert(
            """
            insert into public.audio_segments (
              user_id, notebook_id, build_id, phrase_id, voice_slot, voice_id, status, error_code, duration_ms,
              size_bytes, text_sha256
            )
            select
              user_id,
              notebook_id,
              id,
              %(phrase_id)s,
              %(slot)s,
              %(voice_id)s,
              %(status)s,
              case when %(is_failed)s then 'quota' end,
              case when %(is_complete)s then 1000 end,
              case when %(is_complete)s then 8000 end,
              case when %(is_complete)s then sha256('Hello.') end
            from public.builds
            where id = %(build_id)s
            returning id
            """,
            {
                "build_id": build_id,
                "phrase_id": phrase_id,
                "slot": slot,
                "voice_id": VOICES[slot],
                "status": status,
                "is_failed": status == "failed",
                "is_complete": status == "complete",
            },
        )

    def activate(self, build_id: UUID) -> None:
        """Let the notebook play a build; no other may be active."""
        self.database.execute(
            "update public.audio_segments set is_active = true where build_id = %s and status <> 'missing'", [build_id]
        )
        self.database.execute(
            """
            update public.notebooks
            set current_build_id = builds.id,
                last_generate_job_id = builds.job_id
            from public.builds
            where builds.id = %s
              and notebooks.id = builds.notebook_id
            """,
            [build_id],
        )

    def possessions(self) -> Possessions:
        """A new learner with a row in every table."""
        user = self.database.create_user()
        self.voices(user)
        self.key(user)
        notebook = self.notebook(user)
        phrase = self.phrase(notebook)
        canceled_job = self.job(notebook, JobState.CANCELED)
        canceled_build = self.build(canceled_job)
        canceled_segment = self.segment(canceled_build, phrase, "EN1", "failed")
        job = self.job(notebook, JobState.SUCCEEDED)
        build = self.build(job)
        segment = self.segment(build, phrase, "EN1", "complete")
        self.activate(build)
        self._traces(user, notebook, canceled_build)
        return Possessions(user, notebook, phrase, job, build, segment, canceled_job, canceled_build, canceled_segment)

    def _traces(self, user: UUID, notebook: UUID, garbage_build: UUID) -> None:
        ids = {"user": user, "notebook": notebook, "build": garbage_build, "key": IDEMPOTENCY_KEY}
        self.database.execute(
            """
            insert into public.import_logs (user_id, notebook_id, line_no, raw_text, reason)
            values (%(user)s, %(notebook)s, 1, 'no separator', 'There is no ::: in this line.')
            """,
            ids,
        )
        self.database.execute(
            "insert into private.rate_limits (user_id, bucket, tokens, updated_at) values (%(user)s, 'read', 1, now())",
            ids,
        )
        self.database.execute(
            """
            insert into private.idempotency_keys (user_id, operation, key, request_sha256, status, body)
            values (%(user)s, 'import', %(key)s, sha256('request'), 201, 'answer')
            """,
            ids,
        )
        self.database.execute(
            """
            select private.queue_garbage(%(build)s, private.object_prefix(%(user)s, %(notebook)s, %(build)s))
            """,
            ids,
        )
