"""Lines of `EN text ::: PL text`: which are taken, what becomes of their texts, and why others are not."""

import unicodedata

import pytest

from shared.services.import_lines import normalized, read_lines


def pairs(*lines: str, normalize: bool = True) -> list[tuple[str, str]]:
    """The pairs of lines that are all taken."""
    imported = read_lines(lines, normalize=normalize)
    assert imported.logs == []
    return imported.pairs


def reason(line: str, *, normalize: bool = True) -> str:
    """Why a line is rejected."""
    imported = read_lines([line], normalize=normalize)
    assert imported.pairs == []
    return imported.logs[0].reason


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("line", ["Hello. ::: Cześć.", "Hello.:::Cześć.", "  Hello.  :::\tCześć. \r\n"])
def test_a_line_is_english_and_polish(line: str, *, normalize: bool) -> None:
    assert pairs(line, normalize=normalize) == [("Hello.", "Cześć.")]


def test_pairs_keep_their_order_and_repeats() -> None:
    assert pairs("b ::: 2", "a ::: 1", "b ::: 2") == [("b", "2"), ("a", "1"), ("b", "2")]


def test_no_lines_are_no_pairs() -> None:
    assert pairs() == []


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u00a0\u2003"])
@pytest.mark.parametrize("normalize", [True, False])
def test_a_blank_line_is_skipped_silently(blank: str, *, normalize: bool) -> None:
    assert pairs(blank, normalize=normalize) == []


@pytest.mark.parametrize("invisible", ["\u200b", "\ufeff", "\x00", "\x07 \u00ad"])
def test_a_line_of_invisible_characters_is_blank_once_normalised(invisible: str) -> None:
    assert pairs(invisible) == []
    assert reason(invisible, normalize=False).startswith("There is no :::")


def test_blank_lines_and_rejected_ones_count_in_the_numbers_of_others() -> None:
    imported = read_lines(["", "wrong", "One. ::: Raz.", " ", "wrong too"], normalize=True)
    assert [(log.line_no, log.raw_text) for log in imported.logs] == [(2, "wrong"), (5, "wrong too")]
    assert imported.pairs == [("One.", "Raz.")]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Hello.", "There is no ::: in this line"),
        ("Hello. :: Cześć.", "There is no ::: in this line"),
        ("Hello. : : : Cześć.", "There is no ::: in this line"),
        ("Hello. ::: Cześć. ::: Ciao.", "There is more than one ::: in this line"),
        ("::: :::", "There is more than one ::: in this line"),
        (" ::: Cześć.", "The English side is empty."),
        ("Hello. :::", "The Polish side is empty."),
        (":::", "The English side is empty."),
        ("x" * 2001 + " ::: Cześć.", "The English side has 2,001 characters; at most 2,000 fit."),
        ("Hello. ::: " + "ż" * 2001, "The Polish side has 2,001 characters; at most 2,000 fit."),
        ("Hello. ::: " + "🙂" * 2001, "The Polish side has 2,001 characters; at most 2,000 fit."),
    ],
    ids=lambda text: text[:30],
)
def test_a_line_that_does_not_fit_is_rejected_with_a_reason(line: str, why: str, *, normalize: bool) -> None:
    assert reason(line, normalize=normalize).startswith(why)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("letter", ["x", "ż", "🙂"])
def test_a_side_of_2000_characters_fits(letter: str, *, normalize: bool) -> None:
    side = letter * 2000
    assert pairs(f"  {side}  :::  {side}  ", normalize=normalize) == [(side, side)]


def test_what_normalising_takes_away_does_not_count() -> None:
    side = "x" * 1999 + "é"
    assert pairs(f"{'x' * 1999}e\u200b\u0301 ::: {side}\u200b") == [(side, side)]


def test_a_separator_with_something_invisible_in_it_counts_once_normalised() -> None:
    assert pairs("Hello. :\u200b:: Cześć.") == [("Hello.", "Cześć.")]
    assert reason("Hello. :\u200b:: Cześć.", normalize=False).startswith("There is no :::")


def test_a_byte_order_mark_does_not_belong_to_the_first_phrase() -> None:
    assert pairs("\ufeffHello. ::: Cześć.") == [("Hello.", "Cześć.")]


def test_a_rejected_line_is_kept_as_it_was() -> None:
    line = "  \u201cHello.\u201d\u200b  "
    assert read_lines([line], normalize=True).logs[0].raw_text == line


def test_a_nul_character_that_postgres_cannot_store_is_rejected() -> None:
    imported = read_lines(["Bell\x00 ::: Dzwonek", "Bell ::: Dzwo\x00nek", "\x00"], normalize=False)
    assert imported.pairs == []
    assert [log.raw_text for log in imported.logs] == ["Bell� ::: Dzwonek", "Bell ::: Dzwo�nek", "�"]
    assert imported.logs[0].reason.startswith("The English side has a NUL character")
    assert imported.logs[1].reason.startswith("The Polish side has a NUL character")


def test_without_normalising_texts_stay_as_they_are() -> None:
    side = "\u201cIt\u2019s\u201d  we\u200bll\u00a0known\u0007 Za\u0301"
    assert pairs(f" {side} ::: {side} ", normalize=False) == [(side, side)]


NORMALIZED = {
    "single quotes": ("\u2018a\u2019 \u201ab\u201b", "'a' 'b'"),
    "double quotes": ("\u201ca\u201d \u201eb\u201f", '"a" "b"'),
    "apostrophe": ("It\u2019s", "It's"),
    "zero-width characters": ("a\u200bb\u200cc\u200dd\u2060e\ufefff", "abcdef"),
    "soft hyphen": ("co\u00adoperate", "cooperate"),
    "marks of direction": ("\u202aa\u202c\u200eb\u2066c\u2069", "abc"),
    "control characters": ("a\x00b\x07c\x1bd\x7fe\x80f\x9f", "abcdef"),
    "white space that is a control character": ("a\tb\nc\rd\x0be\x0cf\x85g\x1ch\x1fi", "a b c d e f g h i"),
    "other white space": ("a\u00a0b\u2003c\u2009d\u202fe\u3000f\u2028g\u2029h", "a b c d e f g h"),
    "runs of spaces": ("  a  \t \u00a0 b  ", "a b"),
    "spaces around something invisible": ("a \u200b b", "a b"),
    "accents": ("Za\u0301 z\u0307o\u0301\u0142c\u0301", "Zá żółć"),
    "an accent behind something invisible": ("Za\u200b\u0301", "Zá"),
    "a sign that NFC writes otherwise": ("10 \u212b", "10 \u00c5"),
    "a space that NFC writes otherwise": ("a\u2000\u2001b", "a b"),
    "a family": ("\U0001f468\u200d\U0001f469", "\U0001f468\U0001f469"),
}


@pytest.mark.parametrize(("text", "result"), NORMALIZED.values(), ids=NORMALIZED)
def test_a_text_is_normalised(text: str, result: str) -> None:
    assert normalized(text) == result


@pytest.mark.parametrize("text", [text for text, _ in NORMALIZED.values()], ids=NORMALIZED)
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalized(text)
    assert normalized(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    "text",
    [
        "well-known",
        "yes \u2014 no",
        "1\u20132",
        "non\u2011breaking",
        "5 \u2212 3",
        "wait\u2026",
        "\u00abvoil\u00e0\u00bb",
        "a* b_c_ <d> & {e}",
        "Zażółć gęślą jaźń",
        "\U0001f642\ufe0f",
        "\ufb01ne",
        "`code` 5\u2032",
    ],
)
def test_what_is_seen_stays(text: str) -> None:
    assert normalized(text) == text
