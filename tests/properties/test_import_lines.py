"""What holds for normalising and importing whatever is pasted."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.services.import_lines import ImportedLines, normalized, read_lines
from tests.properties.texts import CONTROL, CURLY_QUOTES, TEXTS, ZERO_WIDTH, dashes, up_to

SIDES = up_to(2_001, st.one_of(TEXTS, st.just("x")))
LINES = st.one_of(
    TEXTS, st.builds("{} ::: {}".format, SIDES, SIDES), st.sampled_from(["", " ", "\t\n", "no separator", "a ::: b"])
)
IMPORTS = st.lists(LINES, max_size=8)

# NFC writes these with more characters: an excluded letter alone, and one whose accents another one breaks apart.
LONGER_IN_NFC = ["\u0958", "\ufb2c", "\U0001d160", "\u01d5\u0323"]


class TestNormalised:
    @given(TEXTS)
    @example("a\u200b\u0301")
    @example("U\u0308\u200b\u0304\u034f\u0323")
    @example(" \u200b \u0301")
    def test_again_is_the_same(self, text: str) -> None:
        once = normalized(text)
        assert normalized(once) == once

    @given(TEXTS)
    def test_is_nfc(self, text: str) -> None:
        assert unicodedata.is_normalized("NFC", normalized(text))

    @given(TEXTS)
    @example("\u01d5\u200b\u0323")
    def test_is_never_longer_than_the_text_in_nfc(self, text: str) -> None:
        assert len(normalized(text)) <= len(unicodedata.normalize("NFC", text))

    @given(TEXTS.filter(lambda text: unicodedata.is_normalized("NFC", text)))
    def test_is_never_longer_than_a_text_as_keyboards_write_it(self, text: str) -> None:
        assert len(normalized(text)) <= len(text)

    @pytest.mark.parametrize("text", LONGER_IN_NFC, ids=ascii)
    def test_is_longer_only_where_nfc_itself_is(self, text: str) -> None:
        assert normalized(text) == unicodedata.normalize("NFC", text)
        assert len(normalized(text)) > len(text)

    def test_no_single_character_is_longer_but_where_nfc_is(self) -> None:
        longer = {character for character in map(chr, range(0x110000)) if len(normalized(character)) > 1}
        assert longer == {
            character for character in map(chr, range(0x110000)) if len(unicodedata.normalize("NFC", character)) > 1
        }

    @given(TEXTS)
    def test_has_the_same_dashes_in_the_same_order(self, text: str) -> None:
        assert dashes(normalized(text)) == dashes(text)

    @given(TEXTS)
    def test_has_nothing_invisible(self, text: str) -> None:
        assert not (ZERO_WIDTH | CONTROL).intersection(normalized(text))

    def test_has_none_of_the_characters_that_are_invisible(self) -> None:
        invisible = sorted(ZERO_WIDTH | CONTROL)
        results = [normalized(f"a{character}b") for character in invisible]
        assert results == ["a b" if character.isspace() else "ab" for character in invisible]

    @given(TEXTS)
    def test_has_straight_quotes_and_as_many(self, text: str) -> None:
        result = normalized(text)
        assert not CURLY_QUOTES.intersection(result)
        assert sum(map(result.count, "'\"")) == sum(map(text.count, [*CURLY_QUOTES, "'", '"']))

    @given(TEXTS)
    def test_has_single_spaces_and_no_other_white_space(self, text: str) -> None:
        result = normalized(text)
        assert result == " ".join(result.split())

    @given(TEXTS)
    def test_has_every_letter_and_sign_of_the_text(self, text: str) -> None:
        assert seen(normalized(text)) == seen(text)


class TestImported:
    @given(lines=IMPORTS, normalize=st.booleans())
    def test_every_line_is_accepted_reported_or_blank(self, lines: list[str], *, normalize: bool) -> None:
        imported = read_lines(lines, normalize=normalize)
        blank = [line for line in lines if is_blank(line, normalize=normalize)]
        assert len(imported.pairs) + len(imported.logs) + len(blank) == len(lines)

    @given(lines=IMPORTS, normalize=st.booleans())
    def test_what_becomes_of_a_line_depends_on_that_line_alone(self, lines: list[str], *, normalize: bool) -> None:
        together, alone = read_lines(lines, normalize=normalize), ImportedLines()
        for number, line in enumerate(lines, start=1):
            one = read_lines([line], normalize=normalize)
            alone.pairs += one.pairs
            alone.logs += [log.model_copy(update={"line_no": number}) for log in one.logs]
        assert together == alone

    @given(lines=IMPORTS, normalize=st.booleans())
    def test_a_rejected_line_is_reported_by_its_number_as_it_was(self, lines: list[str], *, normalize: bool) -> None:
        logs = read_lines(lines, normalize=normalize).logs
        numbers = [log.line_no for log in logs]
        assert numbers == sorted(set(numbers))
        assert [log.raw_text for log in logs] == [lines[number - 1].replace("\x00", "\ufffd") for number in numbers]
        assert all(log.reason.endswith(".") for log in logs)

    @given(lines=IMPORTS, normalize=st.booleans())
    def test_an_accepted_side_fits_into_a_phrase(self, lines: list[str], *, normalize: bool) -> None:
        sides = [side for pair in read_lines(lines, normalize=normalize).pairs for side in pair]
        assert all(1 <= len(side) <= 2_000 and side == side.strip() and "\x00" not in side for side in sides)

    @given(en_text=SIDES, pl_text=SIDES, normalize=st.booleans())
    @example(en_text="x" * 2_000, pl_text="ż" * 2_000, normalize=True)
    @example(en_text="x" * 2_000, pl_text="ż" * 2_000, normalize=False)
    def test_two_sides_that_fit_are_accepted(self, en_text: str, pl_text: str, *, normalize: bool) -> None:
        sides = [(normalized(side) if normalize else side).strip() for side in (en_text, pl_text)]
        assume(all(1 <= len(side) <= 2_000 and ":" not in side and "\x00" not in side for side in sides))
        imported = read_lines([f"{en_text} ::: {pl_text}"], normalize=normalize)
        assert imported.pairs == [(sides[0], sides[1])]

    @given(IMPORTS)
    def test_without_normalising_texts_stay_as_they_are(self, lines: list[str]) -> None:
        imported = read_lines(lines, normalize=False)
        reported = {log.line_no for log in imported.logs}
        accepted = [line for number, line in enumerate(lines, 1) if line.strip() and number not in reported]
        assert imported.pairs == [tuple(side.strip() for side in line.split(":::")) for line in accepted]

    @given(IMPORTS)
    def test_what_was_imported_can_be_imported_again(self, lines: list[str]) -> None:
        pairs = read_lines(lines, normalize=True).pairs
        assert read_lines([f"{en_text} ::: {pl_text}" for en_text, pl_text in pairs], normalize=True).pairs == pairs


def is_blank(line: str, *, normalize: bool) -> bool:
    """Whether a line has nothing in it, or once normalised nothing that can be seen."""
    invisible = ZERO_WIDTH | CONTROL if normalize else frozenset[str]()
    return not "".join(character for character in line if character not in invisible).strip()


def seen(text: str) -> tuple[list[str], Counter[str]]:
    """The letters and signs of a text in their order, and its accents, however they are spelled, but no quotes."""
    unseen = ZERO_WIDTH | CONTROL | CURLY_QUOTES | {"'", '"'}
    characters = [c for c in unicodedata.normalize("NFD", text) if c not in unseen and not c.isspace()]
    accents = Counter(filter(unicodedata.combining, characters))
    return [character for character in characters if character not in accents], accents
