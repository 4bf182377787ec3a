"""Settings: where they come from, and what a missing or malformed one says."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from shared import config
from shared.config import (
    AppSettings,
    CursorSettings,
    DatabaseSettings,
    KeyRingSettings,
    RateLimitSettings,
    Settings,
    SettingsError,
    SweepSettings,
    SynthesisSettings,
    TaskQueueSettings,
    UrlSigningSettings,
    UserAuthSettings,
    WorkerAuthSettings,
    load,
)

Environment = Callable[..., None]

DATABASE_URL = "postgresql://api_login:swordfish@db.example/postgres"
SECRET = "sixteen-characters"
VALUES = {
    "DATABASE_URL": DATABASE_URL,
    "SUPABASE_URL": "https://project.supabase.co",
    "APP_ORIGINS": "https://app.example",
    "CURSOR_SECRET": SECRET,
    "KEY_RING": "k1:c2l4dGVlbiBjaGFyYWN0ZXJz",
    "KEY_FINGERPRINT_SECRET": SECRET,
    "TASKS_LOCATION": "projects/p/locations/l",
    "TASKS_SERVICE_ACCOUNT": "tasks@p.iam.gserviceaccount.com",
    "WORKERS_URL": "https://{worker}.example",
    "AUDIO_BUCKET": "audio",
    "SIGNER_ACCESS_ID": "GOOG1",
    "SIGNER_SECRET": SECRET,
    "SUPABASE_SERVICE_KEY": SECRET,
}
GROUPS = [group for group in Settings.__subclasses__() if group.__module__ == config.__name__]
REQUIRED = [
    (group, name.upper()) for group in GROUPS for name, field in group.model_fields.items() if field.is_required()
]


def names_of(group: type[Settings]) -> set[str]:
    return {name.upper() for name in group.model_fields}


def failure(group: type[Settings]) -> str:
    """What the SettingsError of a group says."""
    with pytest.raises(SettingsError) as error:
        load(group)
    return str(error.value)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_a_group_needs_no_settings_but_its_own(environment: Environment, group: type[Settings]) -> None:
    environment(**{name: value for name, value in VALUES.items() if name in names_of(group)})
    assert isinstance(load(group), group)


@pytest.mark.parametrize(("group", "missing"), REQUIRED, ids=lambda value: getattr(value, "__name__", value))
def test_a_missing_setting_is_named_and_no_other(environment: Environment, group: type[Settings], missing: str) -> None:
    environment(**{name: value for name, value in VALUES.items() if name != missing})
    message = failure(group)
    assert [name for name in VALUES if f"{name}: " in message] == [missing]


def test_all_that_is_missing_is_named_at_once(environment: Environment) -> None:
    environment(AUDIO_BUCKET="audio")
    message = failure(UrlSigningSettings)
    assert "SIGNER_ACCESS_ID: Field required" in message
    assert "SIGNER_SECRET: Field required" in message


@pytest.mark.parametrize("empty", ["", "  ", "\n"], ids=repr)
def test_an_empty_value_is_refused(environment: Environment, empty: str) -> None:
    environment(DATABASE_URL=empty)
    assert "DATABASE_URL: " in failure(DatabaseSettings)


def test_an_empty_value_leaves_the_default(environment: Environment) -> None:
    environment(STALL_SECONDS="")
    assert load(SweepSettings).stall_seconds == 90


def test_white_space_around_a_value_does_not_belong_to_it(environment: Environment) -> None:
    environment(CURSOR_SECRET=f"{SECRET}\n")
    assert load(CursorSettings).cursor_secret.get_secret_value() == SECRET


MALFORMED = [
    (DatabaseSettings, "DATABASE_POOL_SIZE", "swordfish"),
    (DatabaseSettings, "DATABASE_POOL_SIZE", "0"),
    (DatabaseSettings, "DATABASE_TIMEOUT_SECONDS", "-1.75"),
    (DatabaseSettings, "DATABASE_TIMEOUT_SECONDS", "swordfish"),
    (UserAuthSettings, "SUPABASE_URL", "swordfish.supabase.co"),
    (UserAuthSettings, "SUPABASE_URL", "ftp://swordfish.supabase.co"),
    (UserAuthSettings, "SUPABASE_URL", "https://sword fish"),
    (AppSettings, "APP_ORIGINS", "*"),
    (AppSettings, "APP_ORIGINS", " , "),
    (AppSettings, "APP_ORIGINS", "https://swordfish.example/"),
    (AppSettings, "APP_ORIGINS", "https://app.example,swordfish"),
    (AppSettings, "APP_ORIGINS", "https://.*[.]swordfish.example"),
    (RateLimitSettings, "RATE_READ_PER_MINUTE", "0"),
    (CursorSettings, "CURSOR_SECRET", "swordfish"),
    (KeyRingSettings, "KEY_FINGERPRINT_SECRET", "swordfish"),
    (TaskQueueSettings, "TASKS_LOCATION", "swordfish"),
    (TaskQueueSettings, "TASKS_ENDPOINT", "swordfish:443"),
    (WorkerAuthSettings, "TASKS_JWKS_URL", "file:///swordfish"),
    (UrlSigningSettings, "SIGNING_WINDOW_SECONDS", "86401"),
    (SynthesisSettings, "LEASE_SECONDS", "1e9999"),
]


@pytest.mark.parametrize(("group", "name", "value"), MALFORMED, ids=lambda value: getattr(value, "__name__", value))
def test_a_malformed_setting_is_named_and_not_shown(
    environment: Environment, group: type[Settings], name: str, value: str
) -> None:
    environment(**{**VALUES, name: value})
    message = failure(group)
    assert f"{name}: " in message
    assert "swordfish" not in message


def test_what_was_wrong_does_not_show_in_a_traceback_either(environment: Environment) -> None:
    environment(CURSOR_SECRET="swordfish")
    code = "from shared.config import CursorSettings, load; load(CursorSettings)"
    crash = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "SettingsError: CursorSettings cannot be read. CURSOR_SECRET: " in crash.stderr
    assert "swordfish" not in crash.stderr


def test_a_secret_does_not_show_when_its_group_is_printed(environment: Environment) -> None:
    environment(DATABASE_URL=DATABASE_URL)
    assert "swordfish" not in repr(load(DatabaseSettings))


def test_a_group_is_read_once(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(**VALUES)
    first = load(DatabaseSettings)
    monkeypatch.delenv("DATABASE_URL")
    assert load(DatabaseSettings) is first


def test_a_group_that_could_not_be_read_is_read_again(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment()
    failure(CursorSettings)
    monkeypatch.setenv("CURSOR_SECRET", SECRET)
    assert load(CursorSettings).cursor_secret.get_secret_value() == SECRET


def test_origins_are_separated_by_commas(environment: Environment) -> None:
    environment(APP_ORIGINS="https://app.example, http://localhost:8080,")
    assert load(AppSettings).app_origins == ("https://app.example", "http://localhost:8080")
