"""What the models of the wire take: no NUL character in any field, and names in one spelling."""

import unicodedata
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError

import shared.dto
from shared.dto.notebooks import NotebookCreateRequest
from shared.dto.schema import Input, Parameters
from tests.properties.texts import PYTHON_TEXTS, TEXTS, is_storable, up_to

NUL = "a\x00b"
HIDING_PLACES = [NUL, [NUL], {"key": NUL}, {NUL: 1}, [{"key": [NUL]}]]
REPORTED_LINE_BY_LINE = ("ImportRequest", "lines")


def inputs() -> Iterator[tuple[type[BaseModel], str]]:
    """Every model that a client fills in, with each of its fields."""
    for module in iter_modules(shared.dto.__path__, "shared.dto."):
        import_module(module.name)
    models: list[type[BaseModel]] = [Input, Parameters]
    for model in models:
        models += model.__subclasses__()
        yield from ((model, name) for name in model.model_fields)


@pytest.mark.parametrize(("model", "name"), list(inputs()))
def test_no_field_takes_a_nul_character(model: type[BaseModel], name: str) -> None:
    for value in HIDING_PLACES:
        if (model.__name__, name) == REPORTED_LINE_BY_LINE and value == [NUL]:
            continue
        with pytest.raises(ValidationError) as refusal:
            model.model_validate({name: value})
        assert name in {fault["loc"][0] for fault in refusal.value.errors()}


@given(PYTHON_TEXTS)
def test_a_name_is_refused_or_nfc_and_trimmed(text: str) -> None:
    try:
        name = NotebookCreateRequest(name=text).name
    except ValidationError:
        composed = unicodedata.normalize("NFC", text)
        assert not 1 <= len(composed.strip()) <= 100 or not is_storable(composed)
    else:
        assert 1 <= len(name) <= 100
        assert unicodedata.is_normalized("NFC", name)
        assert name.strip(" \u00a0\t\n") == name


@given(up_to(100, TEXTS))
def test_two_spellings_of_a_name_are_one_name(text: str) -> None:
    assert accepted(unicodedata.normalize("NFC", text)) == accepted(unicodedata.normalize("NFD", text))


def accepted(name: str) -> NotebookCreateRequest | None:
    """The request for a notebook of this name; None where it is refused."""
    try:
        return NotebookCreateRequest(name=name)
    except ValidationError:
        return None
