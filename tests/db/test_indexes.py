"""The indexes that the queries rely on, beside those of primary keys and unique constraints."""

from tests.database import Database

INDEXES = {
    "notebooks_uq_user_name": "unique public.notebooks (user_id, lower(name))",
    "notebooks_idx_user_updated": "public.notebooks (user_id, updated_at DESC, id DESC)",
    "notebooks_idx_current_build": "public.notebooks (current_build_id)",
    "notebooks_idx_last_generate_job": "public.notebooks (last_generate_job_id)",
    "import_logs_idx_notebook_created": "public.import_logs (notebook_id, created_at, line_no, id)",
    "phrases_idx_notebook_position": 'public.phrases (notebook_id, "position", id)',
    "phrases_idx_notebook_created": "public.phrases (notebook_id, created_at, id)",
    "jobs_uq_notebook_active": (
        "unique public.jobs (notebook_id) "
        "WHERE (state = ANY (ARRAY['queued'::job_state_enum, 'running'::job_state_enum]))"
    ),
    "jobs_idx_notebook_started": "public.jobs (notebook_id, started_at DESC)",
    "jobs_idx_notebook_created": "public.jobs (notebook_id, created_at DESC, id DESC)",
    "jobs_idx_user_started": "public.jobs (user_id, started_at DESC)",
    "jobs_idx_state": "public.jobs (state) WHERE (ended_at IS NULL)",
    "builds_idx_notebook_created": "public.builds (notebook_id, created_at DESC, id DESC)",
    "audio_segments_uq_active_slot": "unique public.audio_segments (phrase_id, voice_slot) WHERE is_active",
    "audio_segments_idx_phrase_slot_active": "public.audio_segments (phrase_id, voice_slot, is_active)",
    "audio_segments_idx_build": "public.audio_segments (build_id)",
    "audio_segments_idx_status": (
        "public.audio_segments (build_id, status) WHERE (status <> 'complete'::audio_status_enum)"
    ),
    "audio_segments_idx_notebook_active": "public.audio_segments (notebook_id, is_active)",
    "tts_key_tests_idx_tested": "private.tts_key_tests (tested_at)",
    "garbage_idx_not_before": "private.garbage (not_before)",
    "rate_limits_idx_updated": "private.rate_limits (updated_at)",
    "idempotency_keys_idx_expires": "private.idempotency_keys (expires_at)",
}


def test_every_index_has_its_columns_order_and_predicate(module_database: Database) -> None:
    indexes = module_database.fetch(
        """
        select
          relname,
          case when indisunique then 'unique ' else '' end
            || split_part(replace(pg_get_indexdef(indexrelid), 'USING btree ', ''), ' ON ', 2) as definition
        from pg_index
        join pg_class on pg_class.oid = indexrelid
        where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
          and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
        """
    )

    assert {index["relname"]: index["definition"] for index in indexes} == INDEXES


def test_every_foreign_key_has_an_index_that_begins_with_its_first_column(module_database: Database) -> None:
    # That column alone is as selective as all of them: it is an id, and what follows depends on it.
    unindexed = module_database.fetch(
        """
        select conname
        from pg_constraint
        where contype = 'f'
          and connamespace in ('public'::regnamespace, 'private'::regnamespace)
          and not exists (
            select
            from pg_index
            where indrelid = conrelid
              and indkey[0] = conkey[1]
              and indpred is null
          )
        """
    )

    assert unindexed == []
