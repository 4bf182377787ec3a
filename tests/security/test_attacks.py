"""Attacks by name: each is tried as the matrix tries its cells, and is refused or reaches nothing."""

from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier, Literal

from tests.security import probes
from tests.security.attacks import ATTACKS, Attack, types_and_tables_of_ones_own_called_like_ours
from tests.security.calls import CALLS, arguments, everything
from tests.security.expected import FUNCTIONS, rows_of
from tests.security.principals import (
    ANON,
    API_LOGIN,
    NOBODY,
    OWNER,
    SERVICE_ROLE,
    STRANGER,
    WORKER,
    Principal,
)
from tests.security.relations import relations
from tests.security.world import World

LEARNERS = [OWNER, STRANGER, NOBODY]
ALL_BUT_WORKERS = [*LEARNERS, ANON, API_LOGIN, SERVICE_ROLE]

# Each reads the column, however indirectly.
READINGS_OF_A_KEY: list[LiteralString] = [
    "select encrypted_key from public.tts_credentials",
    "select * from public.tts_credentials",
    "table public.tts_credentials",
    "select credentials from public.tts_credentials credentials",
    "select (credentials).encrypted_key from public.tts_credentials credentials",
    "select to_jsonb(credentials) from public.tts_credentials credentials",
    "select row_to_json(credentials) from public.tts_credentials credentials",
    "select count(encrypted_key) from public.tts_credentials",
    "select 1 from public.tts_credentials where encrypted_key > ''",
    "select 1 from public.tts_credentials order by encrypted_key",
    "select 1 from public.tts_credentials group by encrypted_key",
    "select 1 from public.tts_credentials a join public.tts_credentials b using (encrypted_key)",
    "update public.tts_credentials set key_fingerprint = key_fingerprint returning encrypted_key",
    "delete from public.tts_credentials returning encrypted_key",
    "create temp table loot as select * from public.tts_credentials",
    "create temp table loot as select encrypted_key from public.tts_credentials",
    "copy public.tts_credentials to stdout",
    "copy public.tts_credentials (encrypted_key) to stdout",
    "select key_hmac from private.tts_key_tests",
    "select 1 from pg_catalog.pg_statistic",
    "select pg_catalog.pg_read_file('PG_VERSION')",
]

FLIPS: list[LiteralString] = [
    "update public.audio_segments set is_active = true",
    "update public.audio_segments set is_active = false",
    "update public.audio_segments set is_active = not is_active, status = 'complete'",
    "insert into public.audio_segments (is_active) values (true)",
    "update public.notebooks set current_build_id = null",
    "update public.notebooks set current_build_id = {foreign_build}",
    "update public.notebooks set name = name, current_build_id = {foreign_build}",
    "update public.notebooks set (name, current_build_id) = row('Mine', {foreign_build})",
    "insert into public.notebooks (name, current_build_id) values ('Mine', {foreign_build})",
    "update public.notebooks set last_generate_job_id = {foreign_job}",
    "update public.jobs set state = 'succeeded'",
]

# What a worker could write into a segment, if it were taken over, to be signed and played for another.
FOREIGN_OBJECTS: list[LiteralString] = [
    "update public.audio_segments set path = 'audio/of/another.mp3' where id = {segment}",
    "update public.audio_segments set user_id = {foreign_user} where id = {segment}",
    "update public.audio_segments set notebook_id = {foreign_notebook} where id = {segment}",
    "update public.audio_segments set build_id = {foreign_build} where id = {segment}",
    "update public.audio_segments set phrase_id = {foreign_phrase}, voice_slot = 'PL' where id = {segment}",
    (
        "update public.audio_segments set user_id = {foreign_user}, notebook_id = {foreign_notebook} "
        "where id = {segment}"
    ),
    (
        "insert into public.audio_segments (user_id, notebook_id, phrase_id, voice_slot, build_id, voice_id) "
        "values ({user}, {notebook}, {phrase}, 'PL', {foreign_build}, 'pl-PL-Standard-A')"
    ),
]


def test_every_attack_is_tried_on_every_function_that_a_learner_may_call() -> None:
    assert set(CALLS) == {row["function"] for row in rows_of(FUNCTIONS) if row["callers"] == "authenticated"}


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.__name__ for attack in ATTACKS])
def test_is_in_vain(world: World, attack: Attack) -> None:
    with world.undone():
        attack(world)


@pytest.mark.parametrize("who", [ANON, API_LOGIN, SERVICE_ROLE, WORKER], ids=lambda who: who.name)
@pytest.mark.parametrize("function", CALLS)
def test_nobody_but_a_learner_calls(world: World, function: str, who: Principal) -> None:
    before = everything(world)

    with world.undone():
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for"):
            world.call(who, CALLS[function], arguments(world))
        assert everything(world) == before


def test_the_trap_would_catch_a_function_that_names_no_search_path(world: World) -> None:
    with world.undone():
        world.execute("alter function private.start_job(uuid, integer) reset search_path")

        with pytest.raises(psycopg.errors.RaiseException, match="trapped as migrator"):
            types_and_tables_of_ones_own_called_like_ours(world)


@pytest.mark.parametrize("who", ALL_BUT_WORKERS, ids=lambda who: who.name)
@pytest.mark.parametrize("reading", READINGS_OF_A_KEY)
def test_an_encrypted_key_is_not_read(world: World, reading: LiteralString, who: Principal) -> None:
    assert tried(world, who, SQL(reading)) == "denied"


@pytest.mark.parametrize("who", ALL_BUT_WORKERS, ids=lambda who: who.name)
@pytest.mark.parametrize("flip", FLIPS)
def test_what_is_played_is_not_flipped(world: World, flip: LiteralString, who: Principal) -> None:
    assert tried(world, who, with_ids(world, flip)) == "denied"


@pytest.mark.parametrize("who", [*ALL_BUT_WORKERS, WORKER], ids=lambda who: who.name)
@pytest.mark.parametrize("forgery", FOREIGN_OBJECTS)
def test_a_segment_does_not_name_an_object_of_another(world: World, forgery: LiteralString, who: Principal) -> None:
    with world.undone():
        world.execute("alter table public.audio_segments alter path drop expression")  # or it would not be asked for

        assert probes.done(world, who, with_ids(world, forgery)) == "denied"


@pytest.mark.parametrize("forgery", FOREIGN_OBJECTS)
def test_not_even_a_superuser_lets_a_segment_name_an_object_of_another(world: World, forgery: LiteralString) -> None:
    refusals = (psycopg.errors.GeneratedAlways, psycopg.errors.ForeignKeyViolation)
    with pytest.raises(refusals), world.undone():
        world.execute(with_ids(world, forgery))


@pytest.mark.parametrize("who", [OWNER, STRANGER], ids=lambda who: who.name)
def test_no_row_is_inserted_in_the_name_of_another(world: World, who: Principal) -> None:
    victim = Literal(str(world.learners["other"].user))
    forgeries = {
        relation.name: SQL("insert into {} (user_id) values ({})").format(relation.identifier, victim)
        for relation in relations(world)
        if "user_id" in relation.columns
    }

    outcomes = {table: tried(world, who, forgery) for table, forgery in forgeries.items()}

    assert len(outcomes) == 11
    assert set(outcomes.values()) == {"denied"}


def test_a_notebook_of_another_is_like_one_that_does_not_exist(world: World) -> None:
    add: LiteralString = (
        "insert into public.phrases (notebook_id, position, en_text, pl_text) values ({}, 10, 'Hello.', 'Cześć.')"
    )
    none = "00000000-0000-4000-8000-000000000000"

    errors = [refusal(world, SQL(add).format(str(id_))) for id_ in (world.learners["owner"].ids["notebook"], none)]

    assert errors[0].diag.constraint_name == "phrases_fk_notebook"
    assert str(errors[0]) == str(errors[1])


@pytest.mark.parametrize("relation", ["public.notebooks", "public.phrases", "public.notebook_audio_statuses"])
def test_a_cheap_function_in_a_condition_is_shown_no_row_of_another(world: World, relation: str) -> None:
    """The planner may run what is cheap first, but not before row-level security."""
    with world.undone():
        world.call(
            OWNER,
            """
            create function pg_temp.tell(row_text text) returns boolean
            language plpgsql cost 0.0000001
            as $$ begin perform set_config('loot.rows', current_setting('loot.rows', true) || row_text, true);
            return true; end $$
            """,
        )
        world.execute("set local loot.rows = ''")
        query = SQL("select 1 from {} t where pg_temp.tell(t::text)").format(Identifier(*relation.split(".")))
        world.call(OWNER, query)

        ((loot,),) = world.execute("select current_setting('loot.rows')")

    assert world.learners["owner"].is_in(loot)
    assert not any(learner.is_in(loot) for name, learner in world.learners.items() if name != "owner")


def test_statistics_about_the_rows_of_others_are_not_shown(world: World) -> None:
    with world.undone():
        world.execute("analyze public.notebooks, public.phrases, public.tts_credentials")

        assert world.call(OWNER, "select 1 from pg_stats where schemaname in ('public', 'private')") == []


def tried(world: World, who: Principal, statement: SQL | Composed) -> str:
    """What comes of a statement, of which nothing stays."""
    with world.undone():
        return probes.done(world, who, statement)


def refusal(world: World, statement: Composed) -> psycopg.Error:
    """The error that a stranger meets."""
    with world.undone(), pytest.raises(psycopg.Error) as error:
        world.call(STRANGER, statement)
    return error.value


def with_ids(world: World, statement: LiteralString) -> Composed:
    """The statement with the owner's ids in it, and another's as foreign ones."""
    own = world.learners["owner"].ids
    foreign = {f"foreign_{name}": id_ for name, id_ in world.learners["other"].ids.items()}
    return SQL(statement).format(**{name: str(id_) for name, id_ in {**own, **foreign}.items()})
