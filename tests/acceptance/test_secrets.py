"""Where a learner's key and tokens can be found after the whole loop has run: nowhere."""

from uuid import uuid4

from psycopg import sql

from tests.system import System


def test_after_the_whole_loop_the_key_is_in_no_log_line_no_table_and_no_task(system: System) -> None:
    learner, key = system.learner(), f"AIzaLocalSecret{uuid4().hex}"
    learner.store_key(key)
    learner.choose_voices()
    notebook_id = learner.import_notebook(["A secret. ::: Tajemnica."])
    job = system.wait(learner, learner.generate(notebook_id))
    learner.get("/voices")
    clips = learner.manifest(notebook_id)["sequence"][0]["segments"]
    for refused in (f"{key}\n", f"{key}ó", f"AIzaDisabled{key}", f"AIzaQuota{key}"):
        learner.call("POST", "/tts-credentials:test", {"google_api_key": refused})
        learner.call("PUT", "/tts-credentials", {"google_api_key": refused, "unknown": key})

    logs = system.logs()
    assert job["id"] in logs
    assert f'/api/tasks/finalize-build {{"job_id":"{job["id"]}"}}' in logs  # task payloads are among them
    for secret in (key, learner.token, clips[0]["url"].rpartition("X-Goog-Signature=")[2]):
        assert secret not in logs

    tables = _every_row(system)
    assert job["id"] in tables
    for secret in (key, key.encode().hex(), learner.token):
        assert secret not in tables


def _every_row(system: System) -> str:
    """All rows of all our tables, as text; bytes are in hexadecimal."""
    names = system.database.fetch(
        "select schemaname, tablename from pg_catalog.pg_tables where schemaname in ('public', 'private', 'auth')"
    )
    assert len(names) > 12
    rows = [
        row["line"]
        for name in names
        for row in system.database.fetch(
            sql.SQL("select line::text from {} as line").format(sql.Identifier(name["schemaname"], name["tablename"]))
        )
    ]
    return "\n".join(rows)
