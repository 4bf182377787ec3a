"""What must be true of every table and function, also of those that are still to come."""

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.database import Database
from tests.db.grants import grants_of
from tests.db.snapshots import tables

ALL: set[str] = set()


def test_row_level_security_is_enabled_and_forced_on_every_table(module_database: Database) -> None:
    secured = module_database.fetch(
        """
        select format('%I.%I', relnamespace::regnamespace::text, relname) as name
        from pg_class
        where relrowsecurity
          and relforcerowsecurity
        order by name
        """
    )

    assert [row["name"] for row in secured] == tables(module_database)


def test_every_policy_is_for_learners_or_workers(module_database: Database) -> None:
    roles = module_database.fetch("select distinct unnest(roles)::text as role from pg_policies order by role")

    assert [row["role"] for row in roles] == ["authenticated", "worker_login"]


def test_every_policy_for_learners_is_about_their_own_rows(module_database: Database) -> None:
    lax = module_database.fetch(
        """
        select policyname
        from pg_policies
        cross join lateral unnest(array[qual, with_check]) as condition
        where 'authenticated' = any (roles)
          and condition not in ('(user_id = ( SELECT auth.uid() AS uid))', '(id = ( SELECT auth.uid() AS uid))')
        """
    )

    assert lax == []


def test_every_view_looks_with_the_eyes_of_its_reader(module_database: Database) -> None:
    views = module_database.fetch(
        "select relname, reloptions from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
    )

    assert views == [{"relname": "notebook_audio_statuses", "reloptions": ["security_invoker=true"]}]


def test_no_function_is_exposed_to_the_browser(module_database: Database) -> None:
    assert module_database.fetch("select proname from pg_proc where pronamespace = 'public'::regnamespace") == []


def test_no_function_may_be_executed_by_everybody(module_database: Database) -> None:
    # Without any grant, a function's default is that everybody may.
    functions = module_database.fetch(
        """
        select proname
        from pg_proc
        left join lateral aclexplode(coalesce(proacl, acldefault('f', proowner))) acl on true
        where pronamespace = 'private'::regnamespace
          and acl.grantee in (0, 'anon'::regrole, 'service_role'::regrole)
        """
    )

    assert functions == []


def test_every_function_names_its_search_path_with_pg_temp_last(module_database: Database) -> None:
    functions = module_database.fetch(
        """
        select proname
        from pg_proc
        where pronamespace = 'private'::regnamespace
          and proconfig is distinct from array['search_path=pg_catalog, pg_temp']
        """
    )

    assert functions == []


@pytest.mark.parametrize("role", ["PUBLIC", "anon", "service_role", "api_login"])
def test_who_is_neither_learner_nor_worker_has_no_grant(module_database: Database, role: str) -> None:
    assert grants_of(module_database, role) == {}


@pytest.mark.parametrize("role", ["anon", "service_role", "api_login"])
def test_who_is_neither_learner_nor_worker_does_not_reach_the_private_schema(
    module_database: Database, role: str
) -> None:
    usage = module_database.fetch("select has_schema_privilege(%s, 'private', 'usage, create') as granted", [role])

    assert usage == [{"granted": False}]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "api_login", "worker_login"])
@pytest.mark.parametrize("schema", ["public", "private", "auth", "extensions"])
def test_only_the_migrator_creates_anything(module_database: Database, role: str, schema: str) -> None:
    create = module_database.fetch("select has_schema_privilege(%s, %s, 'create') as granted", [role, schema])

    assert create == [{"granted": False}]


@pytest.mark.parametrize("table", ["public.later", "private.later"])
def test_a_table_that_a_later_migration_adds_is_open_to_nobody(database: Database, table: str) -> None:
    with psycopg.connect(database.migrator_url) as connection:
        connection.execute(SQL("create table {} (id integer)").format(Identifier(*table.split("."))))

    roles = ("PUBLIC", "anon", "authenticated", "service_role", "api_login", "worker_login")
    assert [role for role in roles if table in grants_of(database, role)] == []


def test_a_learner_has_these_grants_and_no_others(module_database: Database) -> None:
    assert grants_of(module_database, "authenticated") == {
        "public.users": {"select": ALL},
        "public.notebooks": {"select": ALL, "insert": {"name"}, "update": {"name"}, "delete": ALL},
        "public.import_logs": {"select": ALL},
        "public.phrases": {
            "select": ALL,
            "insert": {"notebook_id", "position", "en_text", "pl_text", "tokens"},
            "update": {"position", "en_text", "pl_text", "tokens"},
            "delete": ALL,
        },
        "public.user_voices": {
            "select": ALL,
            "insert": {"slot", "language", "voice_id"},
            "update": {"language", "voice_id"},
            "delete": ALL,
        },
        "public.tts_credentials": {
            "select": {"user_id", "key_fingerprint", "last_validated_at", "is_configured", "created_at"}
        },
        "public.jobs": {"select": ALL},
        "public.builds": {"select": ALL},
        "public.audio_segments": {
            "select": {
                "id",
                "user_id",
                "notebook_id",
                "phrase_id",
                "voice_slot",
                "build_id",
                "path",
                "duration_ms",
                "size_bytes",
                "sample_rate_hz",
                "bitrate_kbps",
                "status",
                "error_code",
                "word_timings",
                "is_active",
                "created_at",
                "updated_at",
            }
        },
        "public.notebook_audio_statuses": {"select": ALL},
    }


def test_a_worker_has_these_grants_and_no_others(module_database: Database) -> None:
    assert grants_of(module_database, "worker_login") == {
        "public.notebooks": {"select": ALL, "update": {"current_build_id"}},
        "public.phrases": {"select": ALL},
        "public.tts_credentials": {"select": {"user_id", "encrypted_key"}, "update": {"encrypted_key"}},
        "public.jobs": {"select": ALL, "update": {"state", "started_at", "error"}},
        "public.builds": {"select": ALL},
        "public.audio_segments": {
            "select": ALL,
            "update": {
                "duration_ms",
                "size_bytes",
                "status",
                "error_code",
                "error_details",
                "word_timings",
                "is_active",
                "text_sha256",
                "attempts",
                "claimed_until",
            },
            "delete": ALL,
        },
        "private.tts_key_tests": {"select": {"tested_at"}, "delete": ALL},
        "private.garbage": {"select": ALL, "update": {"not_before"}, "delete": ALL},
        "private.rate_limits": {"select": ALL, "delete": ALL},
        "private.idempotency_keys": {"select": {"user_id", "operation", "key", "expires_at"}, "delete": ALL},
    }
