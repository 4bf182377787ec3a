"""Secret settings that are not in the environment: from Google Secret Manager, over its real protocol."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from shared import config
from shared.config import (
    AppSettings,
    CursorSettings,
    DatabaseSettings,
    KeyRingSettings,
    Settings,
    SettingsError,
    UrlSigningSettings,
    load,
)
from tests.unit.secret_manager import PROJECT, SecretManager, serving

Environment = Callable[..., None]

DATABASE_URL = "postgresql://api_login:swordfish@db.example/postgres"
SECRET = "sixteen-characters"


def failure(group: type[Settings]) -> str:
    """What the SettingsError of a group says."""
    with pytest.raises(SettingsError) as error:
        load(group)
    return str(error.value)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretManager]:
    """A Secret Manager that has every secret of every group, and one that is nobody's."""
    secrets = {
        "database_url": DATABASE_URL,
        "cursor_secret": SECRET,
        "key_ring": SECRET,
        "key_fingerprint_secret": SECRET,
        "signer_secret": SECRET,
        "somebody_elses": "secret",
    }
    manager = SecretManager(secrets)
    with serving(manager) as client:
        monkeypatch.setattr(config, "secret_manager", lambda: client)
        yield manager


def test_a_secret_that_is_not_in_the_environment_comes_from_secret_manager(
    environment: Environment, manager: SecretManager
) -> None:
    environment(SECRETS_PROJECT=PROJECT)
    assert load(DatabaseSettings).database_url.get_secret_value() == DATABASE_URL
    assert manager.accessed == ["database_url"]


def test_only_the_secrets_of_the_group_are_asked_for(environment: Environment, manager: SecretManager) -> None:
    environment(SECRETS_PROJECT=PROJECT)
    load(KeyRingSettings)
    assert manager.accessed == ["key_ring", "key_fingerprint_secret"]


def test_the_environment_wins_and_its_secrets_are_not_asked_for(
    environment: Environment, manager: SecretManager
) -> None:
    environment(SECRETS_PROJECT=PROJECT, KEY_RING=f"k2:{SECRET}")
    assert load(KeyRingSettings).key_ring.get_secret_value() == f"k2:{SECRET}"
    assert manager.accessed == ["key_fingerprint_secret"]


def test_an_empty_variable_does_not_hide_a_secret(environment: Environment, manager: SecretManager) -> None:
    environment(SECRETS_PROJECT=PROJECT, CURSOR_SECRET="")
    assert load(CursorSettings).cursor_secret.get_secret_value() == SECRET
    assert manager.accessed == ["cursor_secret"]


def test_what_is_no_secret_is_not_looked_for_in_secret_manager(
    environment: Environment, manager: SecretManager
) -> None:
    environment(SECRETS_PROJECT=PROJECT, AUDIO_BUCKET="audio", SIGNER_ACCESS_ID="GOOG1")
    assert load(UrlSigningSettings).signer_secret.get_secret_value() == SECRET
    assert manager.accessed == ["signer_secret"]


def test_the_line_break_at_the_end_of_a_secret_does_not_belong_to_it(
    environment: Environment, manager: SecretManager
) -> None:
    manager.secrets = {"cursor_secret": f"{SECRET}\n"}
    environment(SECRETS_PROJECT=PROJECT)
    assert load(CursorSettings).cursor_secret.get_secret_value() == SECRET


@pytest.mark.parametrize("secret_id", ["CURSOR_SECRET", "Cursor_Secret", "cursor-secret"])
def test_a_secret_of_another_spelling_is_another_secret(
    environment: Environment, manager: SecretManager, secret_id: str
) -> None:
    manager.secrets = {secret_id: SECRET}
    environment(SECRETS_PROJECT=PROJECT)
    assert "CURSOR_SECRET: Field required" in failure(CursorSettings)


def test_a_secret_that_may_not_be_read_counts_as_missing(environment: Environment, manager: SecretManager) -> None:
    manager.forbidden = frozenset({"cursor_secret"})
    environment(SECRETS_PROJECT=PROJECT)
    message = failure(CursorSettings)
    assert "CURSOR_SECRET: Field required" in message
    assert f"in project {PROJECT} counts as missing" in message


def test_a_malformed_secret_is_named_and_not_shown(environment: Environment, manager: SecretManager) -> None:
    manager.secrets = {"cursor_secret": "swordfish"}
    environment(SECRETS_PROJECT=PROJECT)
    message = failure(CursorSettings)
    assert "CURSOR_SECRET: " in message
    assert "swordfish" not in message


def google_modules(group: type[Settings], **settings: str) -> str:
    """The modules of Google that a process imports to load one group."""
    name = group.__name__
    code = f"import sys; from shared.config import {name}, load; load({name})\n"
    code += "print([module for module in sys.modules if module.startswith(('grpc', 'google.auth', 'google.cloud.'))])"
    environ = {**os.environ, **settings}
    result = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_without_a_secrets_project_no_google_package_is_imported(environment: Environment) -> None:
    environment()
    assert google_modules(DatabaseSettings, DATABASE_URL=DATABASE_URL) == "[]"


def test_a_group_without_secrets_imports_no_google_package(environment: Environment) -> None:
    environment()
    assert google_modules(AppSettings, APP_ORIGINS="https://app.example", SECRETS_PROJECT=PROJECT) == "[]"
