"""POST /api/notebooks:import: which lines it takes, and what becomes of a notebook that is refused."""

from typing import Any

import pytest
import requests

from tests.functions.simultaneous import at_once
from tests.learner import UNKNOWN_ID, Learner, invalid_fields, refused
from tests.system import System

PATH = "/notebooks:import"
LINE = "Hello. ::: Cześć."


def import_(learner: Learner, name: str, lines: list[str], **more: Any) -> requests.Response:
    return learner.call("POST", PATH, {"name": name, "lines": lines, **more})


def texts(learner: Learner, imported: requests.Response) -> list[tuple[int, str, str]]:
    """The position and the two sides of each phrase that came of an import."""
    notebook_id = learner.expect(201, imported)["notebook"]["id"]
    phrases = learner.get(f"/notebooks/{notebook_id}/phrases?limit=100")["items"]
    return [(phrase["position"], phrase["en_text"], phrase["pl_text"]) for phrase in phrases]


def test_an_import_needs_a_token(anonymous: Learner) -> None:
    assert refused(import_(anonymous, "Mine", [LINE])) == (401, "unauthorized")


def test_an_import_answers_with_the_notebook_and_what_became_of_the_lines(learner: Learner) -> None:
    response = import_(learner, "Mine", [LINE])
    answer = learner.expect(201, response)
    assert answer.keys() == {"notebook", "import"}
    assert answer["notebook"] == learner.get(f"/notebooks/{answer['notebook']['id']}")
    assert answer["import"] == {"accepted": 1, "rejected": 0, "logs": []}
    assert response.headers["Location"] == f"/api/notebooks/{answer['notebook']['id']}"


def test_phrases_stand_at_10_20_30_whatever_lies_between_them(learner: Learner) -> None:
    imported = import_(
        learner, "Mine", ["One.:::Raz.", "", "no phrase", "  Two.  :::  Dwa. ", " \t ", "Three. ::: Trzy."]
    )
    assert texts(learner, imported) == [(10, "One.", "Raz."), (20, "Two.", "Dwa."), (30, "Three.", "Trzy.")]


BAD_LINES = (
    ("no separator", "There is no ::: in this line"),
    ("two ::: are ::: too many", "There is more than one ::: in this line"),
    (" ::: Puste.", "The English side is empty."),
    ("Empty. ::: ", "The Polish side is empty."),
    (":::", "The English side is empty."),
    ("\u200b ::: Niewidoczne.", "The English side is empty."),
    ("x" * 2001 + " ::: Za długie.", "The English side has 2,001 characters; at most 2,000 fit."),
    ("Too long. ::: " + "ż" * 2001, "The Polish side has 2,001 characters; at most 2,000 fit."),
)


def test_a_rejected_line_is_logged_with_its_number_its_text_and_a_reason(learner: Learner) -> None:
    lines = [LINE, "", *(line for line, _ in BAD_LINES), "   ", "Bye. ::: Pa."]
    summary = learner.expect(201, import_(learner, "Mine", lines))["import"]
    assert (summary["accepted"], summary["rejected"]) == (2, len(BAD_LINES))
    assert [(log["line_no"], log["raw_text"]) for log in summary["logs"]] == [
        (number, line) for number, (line, _) in enumerate(BAD_LINES, start=3)
    ]
    for log, (_, reason) in zip(summary["logs"], BAD_LINES, strict=True):
        assert log["reason"].startswith(reason)


def test_rejected_lines_are_kept_with_the_notebook(system: System, learner: Learner) -> None:
    answer = learner.expect(201, import_(learner, "Mine", [LINE, "no phrase", "nor this"]))
    kept = system.database.fetch(
        """
        select line_no, raw_text, reason
        from public.import_logs
        where notebook_id = %s and user_id = %s
        order by line_no
        """,
        [answer["notebook"]["id"], learner.id],
    )
    assert kept == answer["import"]["logs"]


def test_sides_of_2000_characters_fit(learner: Learner) -> None:
    imported = import_(learner, "Mine", ["x" * 2000 + " ::: " + "ż" * 2000])
    assert texts(learner, imported) == [(10, "x" * 2000, "ż" * 2000)]


def test_texts_are_normalised(learner: Learner) -> None:
    imported = import_(
        learner, "Mine", ["\u201cIt\u2019s\u201d  well\u200b-known \u2014 yes ::: Za\u0301 \u201eco\u201d\x07\t?"]
    )
    assert texts(learner, imported) == [(10, '"It\'s" well-known \u2014 yes', 'Z\u00e1 "co" ?')]


def test_texts_stay_as_they_are_where_nobody_wants_them_normalised(learner: Learner) -> None:
    imported = import_(learner, "Mine", [" \u201cIt\u2019s\u201d  well\u200b ::: Za\u0301 "], normalize=False)
    assert texts(learner, imported) == [(10, "\u201cIt\u2019s\u201d  well\u200b", "Za\u0301")]


def test_a_nul_character_that_is_not_normalised_away_is_rejected(learner: Learner) -> None:
    answer = learner.expect(201, import_(learner, "Mine", ["Bell\x00 ::: Dzwonek", LINE], normalize=False))
    assert answer["import"]["accepted"] == 1
    assert "NUL character" in answer["import"]["logs"][0]["reason"]


def test_a_notebook_may_be_empty(learner: Learner) -> None:
    assert texts(learner, import_(learner, "Mine", [])) == []


def test_100_phrases_fit(learner: Learner) -> None:
    lines = [f"Line {number}. ::: Wiersz {number}." for number in range(100)]
    phrases = texts(learner, import_(learner, "Mine", [*lines, "no phrase"]))
    assert phrases[-1] == (1000, "Line 99.", "Wiersz 99.")
    assert len(phrases) == 100


def test_of_101_phrases_nothing_is_written(system: System, learner: Learner) -> None:
    lines = [f"Line {number}. ::: Wiersz {number}." for number in range(101)]
    assert refused(import_(learner, "Mine", [*lines, "no phrase"])) == (413, "limit_exceeded")
    assert learner.get("/notebooks")["items"] == []
    assert system.database.fetch("select from public.import_logs where user_id = %s", [learner.id]) == []


def test_a_501st_notebook_is_refused(system: System, learner: Learner) -> None:
    system.database.execute(
        "insert into public.notebooks (user_id, name) select %s, 'Number ' || n from generate_series(1, 499) n",
        [learner.id],
    )
    learner.import_notebook(name="Number 500")
    assert refused(import_(learner, "Number 501", [LINE])) == (413, "limit_exceeded")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body.name", "body.lines"]),
        ({"name": "", "lines": []}, ["body.name"]),
        ({"name": " \t ", "lines": []}, ["body.name"]),
        ({"name": "x" * 101, "lines": []}, ["body.name"]),
        ({"name": "nul\x00", "lines": []}, ["body.name"]),
        ({"name": None, "lines": []}, ["body.name"]),
        ({"name": "Mine", "lines": LINE}, ["body.lines"]),
        ({"name": "Mine", "lines": [LINE, 1]}, ["body.lines.1"]),
        ({"name": "Mine", "lines": [], "normalize": "maybe"}, ["body.normalize"]),
        ({"name": "Mine", "lines": [], "user_id": UNKNOWN_ID}, ["body.user_id"]),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_by_field(learner: Learner, body: Any, fields: list[str]) -> None:
    assert invalid_fields(learner.call("POST", PATH, body)) == fields
    assert learner.get("/notebooks")["items"] == []


def test_a_name_is_trimmed_before_it_is_measured(learner: Learner) -> None:
    answer = learner.expect(201, import_(learner, f"  {'ż' * 100}\t", [LINE]))
    assert answer["notebook"]["name"] == "ż" * 100


@pytest.mark.parametrize("names", [("Mine", "mINE"), ("Zażółć gęślą jaźń", "ZAŻÓŁĆ GĘŚLĄ JAŹŃ"), ("Mine", " Mine ")])
def test_a_name_is_taken_regardless_of_case(learner: Learner, names: tuple[str, str]) -> None:
    learner.import_notebook(name=names[0])
    assert refused(import_(learner, names[1], [LINE])) == (409, "unique_violation")
    assert len(learner.get("/notebooks")["items"]) == 1


def test_two_learners_may_use_one_name(learner: Learner, stranger: Learner) -> None:
    learner.import_notebook(name="Mine")
    stranger.import_notebook(name="Mine")


def test_of_two_imports_of_one_name_at_once_one_is_refused(learner: Learner) -> None:
    responses = at_once([lambda: import_(learner, "Mine", [LINE])] * 2)
    assert sorted(response.status_code for response in responses) == [201, 409]
    assert len(learner.get("/notebooks")["items"]) == 1
