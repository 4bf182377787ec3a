"""So many rows that Postgres has reason to look for the right ones."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from tests.database import Database

# 25 learners with 4 notebooks of 50 phrases each, and each with an active and a replaced build.
FILL: LiteralString = """
    set session_replication_role = replica;

    insert into auth.users (id) select gen_random_uuid() from generate_series(1, 25);
    insert into public.users (id) select id from auth.users;

    insert into public.notebooks (user_id, name)
    select id, 'Notebook ' || number from public.users cross join generate_series(1, 4) as number;

    insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
    select user_id, id, position, 'Hello.', 'Cześć.'
    from public.notebooks
    cross join generate_series(1, 50) as position;

    insert into public.jobs (user_id, notebook_id, state, started_at, ended_at, created_at)
    select user_id, id, 'succeeded', now(), now(), now() - number * interval '1 day'
    from public.notebooks
    cross join generate_series(1, 20) as number;

    insert into public.builds (user_id, notebook_id, job_id, created_at)
    select user_id, notebook_id, id, created_at from public.jobs;

    insert into public.audio_segments (
      user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id, status, is_active, duration_ms, size_bytes,
      text_sha256
    )
    select
      phrases.user_id, phrases.notebook_id, phrases.id, slot, builds.id, 'voice', 'complete', builds.number = 1, 1000,
      8000, ''
    from (
      select id, notebook_id, row_number() over (partition by notebook_id order by created_at desc) as number
      from public.builds
    ) builds
    join public.phrases on phrases.notebook_id = builds.notebook_id
    cross join unnest(enum_range(null::public.voice_slot_enum)) as slot
    where builds.number <= 2;

    update public.notebooks
    set current_build_id = segments.build_id
    from (select distinct notebook_id, build_id from public.audio_segments where is_active) segments
    where segments.notebook_id = notebooks.id;

    insert into private.garbage (build_id, prefix, not_before)
    select id, private.object_prefix(user_id, notebook_id, id), now() + random() * interval '1 hour'
    from public.builds;

    set session_replication_role = origin;
"""


@dataclass(frozen=True)
class Running:
    """A running job of a notebook, half of whose segments are missing, among many that have ended."""

    user: UUID
    notebook: UUID
    job: UUID
    build: UUID
    phrase: UUID
    segment: UUID


def fill(database: Database) -> Running:
    """Insert the rows, among them one running job, and let Postgres count them."""
    database.execute(FILL)
    notebook = database.fetch("select id, user_id from public.notebooks limit 1")[0]
    job = database.fetch(
        """
        insert into public.jobs (user_id, notebook_id, state, started_at, created_at)
        values (%(user_id)s, %(id)s, 'running', now() - interval '10 minutes', now() - interval '10 minutes')
        returning id
        """,
        notebook,
    )[0]["id"]
    build = database.fetch(
        "insert into public.builds (user_id, notebook_id, job_id) values (%(user_id)s, %(id)s, %(job)s) returning id",
        notebook | {"job": job},
    )[0]["id"]
    segments = database.fetch(
        """
        insert into public.audio_segments (
          user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id, updated_at
        )
        select user_id, notebook_id, id, slot, %(build)s, 'voice', now() - interval '10 minutes'
        from public.phrases
        cross join unnest(array['EN1', 'PL']::public.voice_slot_enum[]) as slot
        where notebook_id = %(notebook)s
        returning id, phrase_id
        """,
        {"build": build, "notebook": notebook["id"]},
    )
    database.execute("vacuum analyze")
    return Running(
        user=notebook["user_id"],
        notebook=notebook["id"],
        job=job,
        build=build,
        phrase=segments[0]["phrase_id"],
        segment=segments[0]["id"],
    )
