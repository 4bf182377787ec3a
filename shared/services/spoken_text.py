"""The part of a phrase that is read aloud: no markdown, no emoji, no invisible characters.

Markdown is what CommonMark calls emphasis, code spans, links and the marks of headings, quotes and lists
(https://spec.commonmark.org/0.31.2/), read with more caution: `2 * 3`, `a*b*c`, `snake_case` and `5 - 3` stay whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from unicodedata import category

from shared.errors import ValidationFailed
from shared.services.characters import is_invisible

# Every group is markup that is not read; what is between the groups is.
MARKUP = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^[ \t]*((?:#{1,6}|[-*+>•])[ \t]+)(?=[^\W\d])",
        r"(!?\[)[^\[\]]+(\]\([^()\s]*(?: \"[^\"]*\")?\))",
        r"(?<!`)(`{1,3})(?!`)[^`]+(\1)(?!`)",
        r"(~~)(?=[^\s~])[^~]+(?<=[^\s~])(~~)",
        r"(?<![\w*])(\*{1,3})(?=[^\s*])[^*]+(?<=[^\s*])(\1)(?![\w*])",
        r"(?<=[^\W\d_]{2})(\*{1,2})[^\W\d_]+(\1)(?!\*)",  # play**ed**
        r"(?<![\w*])(\*{1,2})[^\W\d_]+(\1)(?=[^\W\d_]{2})",  # **un**happy
        r"(?<!\w)(_{1,3})(?=[^\s_])(?:[^_]|(?<=[^\W_])_(?=[^\W_]))+(?<=[^\s_])(\1)(?!\w)",
    )
)
# U+FE0F makes an emoji of the sign before it, but leaves `1` in a keycap a digit.
EMOJI = re.compile(
    r"[^\w\s#*]\ufe0f"
    "|[\u231a\u231b\u23e9-\u23fa\u25fb-\u25fe\u2600-\u27bf\u2b00-\u2bff\u20e3\ufe0e\ufe0f\U0001f000-\U0001faff]"
)
SPACE_OR_NOT = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What is read, and where in the phrase each of its characters stands: `len(characters) == len(positions)`."""

    characters: str
    positions: tuple[int, ...]

    @property
    def is_readable(self) -> bool:
        """Whether there is a letter or a digit in it."""
        return any(character.isalnum() for character in self.characters)

    def without(self, dropped: set[int]) -> "SpokenText":
        """The same without the characters at these places."""
        kept = [place for place in range(len(self.characters)) if place not in dropped]
        return SpokenText(
            "".join(self.characters[place] for place in kept), tuple(self.positions[place] for place in kept)
        )

    def parts(self) -> Iterator[tuple[int, int]]:
        """Where runs of spaces and of other characters begin and end, without the spaces at either end."""
        begin = len(self.characters) - len(self.characters.lstrip())
        for match in SPACE_OR_NOT.finditer(self.characters.rstrip(), begin):
            yield match.span()


def spoken_text(text: str) -> SpokenText:
    """What is read of a phrase. One that has nothing but emoji or punctuation is read as it is: the voice knows best.

    Raises ValidationFailed where nothing of it can be seen.
    """
    visible = _visible(text)
    spoken = _without_markup(_without_emoji(visible))
    if spoken.is_readable:
        return spoken
    if not visible.characters.strip():
        raise ValidationFailed.of("text", "There is nothing in this text that can be read aloud.")
    return visible


def _visible(text: str) -> SpokenText:
    """Without control, zero-width and unassigned characters, none of which can be heard and few of which XML allows."""
    places = [place for place, character in enumerate(text) if character.isspace() or not _is_silent(character)]
    characters = "".join(_plain_space(text[place]) for place in places)
    return SpokenText(characters, tuple(places))


def _is_silent(character: str) -> bool:
    return is_invisible(character) or category(character).startswith("C")


def _plain_space(character: str) -> str:
    if not character.isspace():
        return character
    return "\n" if character in "\n\r\u2028\u2029" else " "


def _without_emoji(spoken: SpokenText) -> SpokenText:
    """With as many spaces in place of each."""
    return SpokenText(EMOJI.sub(lambda emoji: " " * len(emoji[0]), spoken.characters), spoken.positions)


def _without_markup(spoken: SpokenText) -> SpokenText:
    """Each pass takes one level of nested markup away."""
    while markup := _markup(spoken.characters):
        spoken = spoken.without(markup)
    return spoken


def _markup(characters: str) -> set[int]:
    """Where the markup stands that the first pattern to match finds."""
    for pattern in MARKUP:
        spans = [match.span(group) for match in pattern.finditer(characters) for group in range(1, pattern.groups + 1)]
        if spans:
            return set(chain.from_iterable(range(*span) for span in spans))
    return set()
