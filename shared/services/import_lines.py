"""Reads lines of `EN text ::: PL text`."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.dto.notebooks import MAX_TEXT_LENGTH, ImportLog
from shared.services.characters import is_invisible

SEPARATOR = ":::"
SINGLE_QUOTES = "\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f"
STRAIGHT_QUOTES = str.maketrans({**dict.fromkeys(SINGLE_QUOTES, "'"), **dict.fromkeys(DOUBLE_QUOTES, '"')})
SPACES = re.compile(r" +")


@dataclass
class ImportedLines:
    """Pairs of English and Polish, and the lines that were rejected."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    logs: list[ImportLog] = field(default_factory=list)


def read_lines(lines: Iterable[str], *, normalize: bool) -> ImportedLines:
    """Read each line; blank ones are skipped, bad ones are logged with their number, counted from 1."""
    imported = ImportedLines()
    for number, raw_text in enumerate(lines, start=1):
        text = normalized(raw_text) if normalize else raw_text
        if not text.strip():
            continue
        sides = [side.strip() for side in text.split(SEPARATOR)]
        reason = _fault(sides)
        if reason:
            imported.logs.append(ImportLog(line_no=number, raw_text=raw_text.replace("\x00", "�"), reason=reason))
        else:
            imported.pairs.append((sides[0], sides[1]))
    return imported


def normalized(text: str) -> str:
    """NFC, straight quotes, single spaces, and no characters that cannot be seen; dashes stay as they are.

    Invisible white space, such as a tab, becomes a space. NFC comes after all that is removed, which may have stood
    between a letter and its accent, so that normalising again changes nothing. The result is never longer than the text
    in NFC, and that never longer than the text but for the few characters that NFC has to spell with more than one:
    U+0958, say, becomes two (https://www.unicode.org/reports/tr15/#Primary_Exclusion_List_Table).
    """
    visible = "".join(
        " " if character.isspace() else character
        for character in text.translate(STRAIGHT_QUOTES)
        if character.isspace() or not is_invisible(character)
    )
    return SPACES.sub(" ", unicodedata.normalize("NFC", visible)).strip()


def _fault(sides: list[str]) -> str | None:
    if len(sides) == 1:
        return f"There is no {SEPARATOR} in this line; write: English text {SEPARATOR} Polish text."
    if len(sides) > 2:
        return f"There is more than one {SEPARATOR} in this line; put each pair on a line of its own."
    for side, language in zip(sides, ("English", "Polish"), strict=True):
        if not side:
            return f"The {language} side is empty."
        if len(side) > MAX_TEXT_LENGTH:
            return f"The {language} side has {len(side):,} characters; at most {MAX_TEXT_LENGTH:,} fit."
        if "\x00" in side:
            return f"The {language} side has a NUL character; remove it, or import with normalisation."
    return None
