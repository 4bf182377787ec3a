"""What the models accept is what Postgres stores and the API answers."""

import json
from typing import Any

from hypothesis import given, reject, settings
from pydantic import SecretStr, ValidationError

from shared.auth import User
from shared.config import CursorSettings
from shared.db.database import Database as AppDatabase
from shared.dto.notebooks import NotebookCreateRequest, NotebookQuery
from shared.dto.phrases import PhraseCreateRequest
from shared.services.notebooks import Notebooks
from shared.services.paging import Pager
from shared.services.phrases import Phrases
from tests.database import Database
from tests.properties.texts import JSON, TEXTS, is_storable, up_to

PAGER = Pager(CursorSettings(cursor_secret=SecretStr("a secret of cursors")))


@settings(max_examples=60)
@given(name=up_to(100, TEXTS))
def test_a_name_comes_back_and_is_found(module_database: Database, app_database: AppDatabase, name: str) -> None:
    service, user = Notebooks(app_database, PAGER), User(module_database.create_user())
    try:
        request = NotebookCreateRequest(name=name)
    except ValidationError:
        reject()
    notebook = service.create(user, request.name)
    found = service.page(user, NotebookQuery(q=name.strip()))
    assert [item.name for item in found.items] == [notebook.name] == [request.name]


@settings(max_examples=60)
@given(en_text=up_to(2_000, TEXTS), tokens=JSON)
def test_a_phrase_comes_back(module_database: Database, app_database: AppDatabase, en_text: str, tokens: Any) -> None:
    user = User(module_database.create_user())
    notebook = Notebooks(app_database, PAGER).create(user, "Notebook")
    try:
        request = PhraseCreateRequest(en_text=en_text, pl_text="Cześć.", tokens=tokens)
    except ValidationError:
        assert not is_storable(en_text) or not en_text.strip() or "\\u0000" in json.dumps(tokens)
        reject()
    phrase = Phrases(app_database, PAGER).create(user, notebook.id, request)
    answer = as_a_browser_reads_it(phrase.model_dump_json())
    assert answer["en_text"] == request.en_text
    assert answer["tokens"] == as_a_browser_reads_it(json.dumps(tokens))


def as_a_browser_reads_it(text: str) -> Any:
    """The JSON, with every number a double: Postgres writes 1e+16 as 10000000000000000."""
    return json.loads(text, parse_int=float)
