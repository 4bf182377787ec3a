"""Every function starts alone under functions-framework, with the settings it needs and no others."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from infra.local.functions import API, WORKERS
from tests.functions.standalone import Standalone
from tests.learner import UNKNOWN_ID, Learner, refused
from tests.system import System

LEARNERS = ("DATABASE_URL", "SUPABASE_URL", "APP_ORIGINS")
LISTINGS = ("CURSOR_SECRET",)
GOOGLE_KEYS = ("KEY_RING", "KEY_FINGERPRINT_SECRET")
TASKS = ("TASKS_LOCATION", "TASKS_SERVICE_ACCOUNT", "WORKERS_URL")
DELIVERIES = ("DATABASE_URL", "TASKS_SERVICE_ACCOUNT", "WORKERS_URL")
BUCKET = ("AUDIO_BUCKET",)
SIGNER = ("SIGNER_ACCESS_ID", "SIGNER_SECRET")

NEEDED: dict[str, set[str]] = {
    "account": {*LEARNERS, "SUPABASE_SERVICE_KEY"},
    "notebooks": {*LEARNERS, *LISTINGS},
    "phrases": {*LEARNERS, *LISTINGS},
    "tts_credentials": {*LEARNERS, *GOOGLE_KEYS},
    "voices": {*LEARNERS, *GOOGLE_KEYS},
    "jobs": {*LEARNERS, *LISTINGS, *TASKS},
    "builds": {*LEARNERS, *LISTINGS},
    "audio_segments": {*LEARNERS, *LISTINGS},
    "playback_manifest": {*LEARNERS, *BUCKET, *SIGNER},
    "fan_out": {*DELIVERIES, *TASKS},
    "synthesize": {*DELIVERIES, *TASKS, *BUCKET, *GOOGLE_KEYS},
    "finalize_build": {*DELIVERIES, *TASKS},
    "collect_garbage": {*DELIVERIES, *BUCKET},
    "sweep": {*DELIVERIES, *TASKS},
}
# Where google-cloud-storage finds no credentials, as it does in the cloud, it must be told where else to go.
INSTEAD_OF_CREDENTIALS = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}
STORING = ("synthesize", "collect_garbage")

ENDPOINTS: dict[str, tuple[str, str]] = {
    "account": ("GET", "/users/me"),
    "notebooks": ("GET", "/notebooks"),
    "phrases": ("GET", f"/notebooks/{UNKNOWN_ID}/phrases"),
    "tts_credentials": ("GET", "/tts-credentials"),
    "voices": ("GET", "/user-voices"),
    "jobs": ("GET", f"/jobs/{UNKNOWN_ID}"),
    "builds": ("GET", f"/builds/{UNKNOWN_ID}"),
    "audio_segments": ("GET", f"/audio-segments/{UNKNOWN_ID}"),
    "playback_manifest": ("GET", f"/notebooks/{UNKNOWN_ID}/playback-manifest"),
    "fan_out": ("POST", "/tasks/fan-out"),
    "synthesize": ("POST", "/tasks/synthesize"),
    "finalize_build": ("POST", "/tasks/finalize-build"),
    "collect_garbage": ("POST", "/tasks/collect-garbage"),
    "sweep": ("POST", "/tasks/sweep"),
}

# One setting per function, so that each of them is missed somewhere; tests/unit/test_docs.py misses every pair.
MISSED: dict[str, str] = {
    "account": "SUPABASE_SERVICE_KEY",
    "notebooks": "CURSOR_SECRET",
    "phrases": "DATABASE_URL",
    "tts_credentials": "KEY_RING",
    "voices": "KEY_FINGERPRINT_SECRET",
    "jobs": "TASKS_LOCATION",
    "builds": "SUPABASE_URL",
    "audio_segments": "APP_ORIGINS",
    "playback_manifest": "SIGNER_SECRET",
    "fan_out": "TASKS_SERVICE_ACCOUNT",
    "synthesize": "AUDIO_BUCKET",
    "finalize_build": "WORKERS_URL",
    "collect_garbage": "DATABASE_URL",
    "sweep": "TASKS_LOCATION",
}

Start = Callable[[str, Mapping[str, str]], Standalone]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a function, which is stopped after the last test."""
    logs = tmp_path_factory.mktemp("alone")
    functions: list[Standalone] = []

    def start_function(name: str, settings: Mapping[str, str]) -> Standalone:
        function = Standalone(name, settings, logs / f"{len(functions)}-{name}.log")
        functions.append(function)
        return function

    yield start_function
    for function in functions:
        function.terminate()
    for function in functions:
        function.wait()


@pytest.fixture(scope="module")
def settings(system: System) -> dict[str, dict[str, str]]:
    """What each function needs, and nothing else; the database and the accounts are the system's."""
    known = {
        "SUPABASE_URL": system.app,
        "SUPABASE_SERVICE_KEY": "a key of the project",
        "APP_ORIGINS": system.app,
        "CURSOR_SECRET": "a secret for cursors",
        "KEY_RING": "primary:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "KEY_FINGERPRINT_SECRET": "a secret for fingerprints",
        "TASKS_LOCATION": "projects/audio-loop/locations/europe-central2",
        "TASKS_SERVICE_ACCOUNT": "tasks@audio-loop.iam.gserviceaccount.com",
        "WORKERS_URL": "https://{worker}-audio-loop.example",
        "AUDIO_BUCKET": "audio-loop",
        "SIGNER_ACCESS_ID": "GOOGSIGNER",
        "SIGNER_SECRET": "a secret for signatures",
    }
    databases = {
        **dict.fromkeys(API, system.stack.project.api_url),
        **dict.fromkeys(WORKERS, system.stack.project.worker_url),
    }
    return {
        name: {
            **{setting: {**known, "DATABASE_URL": databases[name]}[setting] for setting in needed},
            **(INSTEAD_OF_CREDENTIALS if name in STORING else {}),
        }
        for name, needed in NEEDED.items()
    }


@pytest.fixture(scope="module")
def started(start: Start, settings: dict[str, dict[str, str]]) -> dict[str, Standalone]:
    """All functions; they start side by side."""
    return {name: start(name, settings[name]) for name in NEEDED}


def test_these_are_all_functions() -> None:
    folders = {path.parent.name for path in Path("functions").glob("*/main.py")}
    assert {*NEEDED} == {*ENDPOINTS} == {*MISSED} == {*API, *WORKERS} == folders


@pytest.mark.parametrize("name", NEEDED)
def test_a_function_starts_with_what_it_needs_and_asks_who_calls(started: dict[str, Standalone], name: str) -> None:
    assert refused(started[name].answer(*ENDPOINTS[name])) == (401, "unauthorized")


@pytest.mark.parametrize("name", API)
def test_a_function_alone_serves_a_learner(started: dict[str, Standalone], learner: Learner, name: str) -> None:
    response = started[name].answer(*ENDPOINTS[name], token=learner.token)
    expected = 404 if UNKNOWN_ID in ENDPOINTS[name][1] else 200
    assert response.status_code == expected, response.text


@pytest.mark.parametrize("name", NEEDED)
def test_a_function_alone_serves_no_other_function(started: dict[str, Standalone], name: str) -> None:
    other = "account" if name != "account" else "notebooks"
    assert refused(started[name].answer(*ENDPOINTS[other])) == (404, "not_found")


def test_account_alone_answers_for_the_health(started: dict[str, Standalone]) -> None:
    response = started["account"].answer("GET", "/health")
    assert (response.status_code, response.json()["status"]) == (200, "ok")


def test_while_postgres_does_not_answer_the_health_is_degraded_after_two_seconds(
    start: Start, settings: dict[str, dict[str, str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silence = {**settings["account"], "DATABASE_URL": f"postgresql://nobody:secret@127.0.0.1:{port}/nothing"}
        function = start("account", silence)
        function.answer(*ENDPOINTS["account"])
        began = time.monotonic()
        response = function.answer("GET", "/health")
        assert time.monotonic() - began < 3
    assert response.status_code == 500
    assert response.json() == {"status": "degraded", "db": "unreachable", "time": response.json()["time"]}


@pytest.mark.parametrize(("name", "setting"), MISSED.items())
def test_a_function_that_misses_a_setting_does_not_start_and_names_it(
    start: Start, settings: dict[str, dict[str, str]], name: str, setting: str
) -> None:
    assert setting in NEEDED[name]
    function = start(name, {key: value for key, value in settings[name].items() if key != setting})
    assert f"{setting}: Field required" in function.last_words()
