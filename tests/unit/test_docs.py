"""The documents say what the code does: settings, endpoints, decisions, links."""

import ast
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.local.functions import API, WORKERS
from infra.local.text_to_speech.keys import KINDS
from infra.local.text_to_speech.settings import LocalSpeechSettings
from shared import config
from shared.config import Settings, SettingsError
from shared.db.database import database
from shared.http import create_app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = ("docs", "functions", "infra", "shared", "tests")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
DECISIONS = sorted((ROOT / "docs" / "decisions").iterdir())
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
GROUPS = [group for group in Settings.__subclasses__() if group.__module__ == config.__name__]
READ_ELSEWHERE = {"SECRETS_PROJECT", "STORAGE_EMULATOR_HOST"}

METHODS = {"get", "post", "put", "patch", "delete"}
ENDPOINT_ROW = re.compile(r"^\| `(\w+)` \| `([A-Z]+) (/\S+)` \| [^|]+ \|$", re.MULTILINE)
SETTING_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
LOCAL_ROW = re.compile(r"^\| `(LOCAL_[A-Z_]+)` \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
KEY_ROW = re.compile(r"^\| `(AIza\w+)` \| [^|]+ \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^(?:# )?([A-Z_]+)=(.*)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TERM = re.compile(r"^- \*\*(.+?)\*\*", re.MULTILINE)


class SettingRow(NamedTuple):
    """A row of the README's table of settings."""

    readers: frozenset[str]
    default: str


def readers_of(cell: str) -> frozenset[str]:
    """The functions that a cell names; `API` and `workers` stand for all of them."""
    names = set(re.findall(r"`(\w+)`", cell))
    return frozenset(names | ({*API} if "API" in cell else set()) | ({*WORKERS} if "workers" in cell else set()))


SETTINGS = {name: SettingRow(readers_of(readers), default) for name, readers, default in SETTING_ROW.findall(README)}
EXAMPLES = dict(EXAMPLE.findall((ROOT / ".env.example").read_text(encoding="utf-8")))


def source_of(function: str) -> str:
    return (ROOT / "functions" / function / "main.py").read_text(encoding="utf-8")


def endpoints_of(function: str) -> Iterator[tuple[str, str]]:
    """The method and path, as in the OpenAPI document, of each `@api.<method>("<path>")`."""
    for node in ast.walk(ast.parse(source_of(function))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("api"), attr=method), args=[ast.Constant(str(path)), *_]):
                if method in METHODS:
                    yield method.upper(), "/api" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def groups_of(setting: str) -> list[type[Settings]]:
    return [group for group in GROUPS if setting.lower() in group.model_fields]


def loaders_of(group: type[Settings]) -> set[str]:
    """The functions that load a group themselves; none where `shared` loads it for them."""
    return {function for function in FUNCTIONS if f"load({group.__name__})" in source_of(function)}


def defaults_of(group: type[Settings]) -> dict[str, str]:
    """The settings of a group, with what stands in their column of defaults."""
    fields = group.model_fields.items()
    return {name.upper(): "required" if field.is_required() else str(field.default) for name, field in fields}


def needed_settings(function: str) -> list[str]:
    return [name for name, row in SETTINGS.items() if function in row.readers and row.default == "required"]


def slug_of(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Mapping[str, str]], None]]:
    """Starts a function alone, in an environment that has these settings and no others."""

    def start_function(function: str, settings: Mapping[str, str]) -> None:
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        config.load.cache_clear()
        database.cache_clear()
        create_app(runpy.run_path(str(ROOT / "functions" / function / "main.py"))["api"])

    yield start_function
    config.load.cache_clear()
    database.cache_clear()


def test_the_readme_lists_each_setting_once() -> None:
    settings = {name.upper() for group in GROUPS for name in group.model_fields}
    assert sorted(name for name, *_ in SETTING_ROW.findall(README)) == sorted(settings | READ_ELSEWHERE)


def test_the_example_environment_has_each_setting() -> None:
    assert EXAMPLES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_the_readme_gives_the_defaults_of_settings(group: type[Settings]) -> None:
    defaults = defaults_of(group)
    assert {name: SETTINGS[name].default for name in defaults} == defaults


def test_the_readme_gives_the_variables_of_the_local_voice_server() -> None:
    assert dict(LOCAL_ROW.findall(README)) == defaults_of(LocalSpeechSettings)


def test_the_readme_lists_each_kind_of_local_key() -> None:
    assert KEY_ROW.findall(README) == list(KINDS)


@pytest.mark.parametrize("setting", sorted(SETTINGS.keys() - READ_ELSEWHERE))
def test_the_readme_names_the_functions_that_load_a_setting(setting: str) -> None:
    loaders = [loaders_of(group) for group in groups_of(setting)]
    named = SETTINGS[setting].readers
    assert named >= set().union(*loaders)
    assert not all(loaders) or named == set().union(*loaders)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_the_settings_that_the_readme_gives_it(
    function: str, start: Callable[[str, Mapping[str, str]], None]
) -> None:
    given = {name: EXAMPLES[name] for name, row in SETTINGS.items() if function in row.readers}
    start(function, {name: value for name, value in given.items() if name != "SECRETS_PROJECT"})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_needs_the_settings_that_the_readme_calls_required(
    function: str, start: Callable[[str, Mapping[str, str]], None]
) -> None:
    settings = {name: EXAMPLES[name] for name in [*needed_settings(function), "STORAGE_EMULATOR_HOST"]}
    for missing in needed_settings(function):
        with pytest.raises(SettingsError, match=missing):
            start(function, {name: value for name, value in settings.items() if name != missing})


def test_the_readme_lists_each_endpoint_of_each_function() -> None:
    endpoints = {(function, *endpoint) for function in FUNCTIONS for endpoint in endpoints_of(function)}
    assert set(ENDPOINT_ROW.findall(README)) == endpoints


def test_the_readme_lists_an_endpoint_of_every_function_folder() -> None:
    assert sorted({function for function, *_ in ENDPOINT_ROW.findall(README)}) == FUNCTIONS


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_and_its_four_sections(path: Path) -> None:
    title, *sections = HEADING.findall(path.read_text(encoding="utf-8"))
    assert title.startswith(f"{path.name[:4]} ")
    assert sections == ["Context", "Decision", "Consequences", "Alternatives"]


def test_terms_of_the_glossary_are_in_order_and_there_once() -> None:
    terms = [term.casefold() for term in TERM.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))]
    assert terms == sorted(set(terms))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    links = LINK.findall(FENCED.sub("", document.read_text(encoding="utf-8")))
    assert [link for link in links if "://" not in link and not leads_somewhere(document, link)] == []


def leads_somewhere(document: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    if not anchor:
        return target.exists()
    return target.is_file() and anchor in map(slug_of, HEADING.findall(FENCED.sub("", target.read_text("utf-8"))))
