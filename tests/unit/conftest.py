"""Fixtures for what is kept for a whole process: settings, and where logs go."""

import logging
import os
from collections.abc import Callable, Iterator

import pytest
import structlog
from structlog.contextvars import clear_contextvars

from shared.config import Settings, load, secret_manager


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes the given settings, by name, the only ones there are; at first there are none."""
    names = {name.upper() for group in Settings.__subclasses__() for name in group.model_fields} | {"SECRETS_PROJECT"}

    def set_all(**settings: str) -> None:
        for name in names & os.environ.keys():
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        load.cache_clear()
        secret_manager.cache_clear()

    set_all()
    yield set_all
    load.cache_clear()
    secret_manager.cache_clear()


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Gives pytest its log handlers back, and structlog its defaults."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    clear_contextvars()
