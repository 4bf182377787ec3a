"""Texts as learners, copied pages and attackers make them, and what is known of their characters."""

import unicodedata

from hypothesis import strategies as st

DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
CURLY_QUOTES = frozenset("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f")

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, but for variation selectors and what is not
# assigned: soft hyphen, joiners, marks and overrides of direction, byte order mark, fillers, tags.
ZERO_WIDTH = frozenset(
    chr(code)
    for first, last in [
        (0xAD, 0xAD),
        (0x34F, 0x34F),
        (0x61C, 0x61C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180E, 0x180E),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x2064),
        (0x2066, 0x206F),
        (0x3164, 0x3164),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0001, 0xE0001),
        (0xE0020, 0xE007F),
    ]
    for code in range(first, last + 1)
)
CONTROL = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))

WHITE_SPACE = " \t\n\r\x0b\x0c\x1c\x1f\x85\u00a0\u2000\u2003\u2028\u2029\u202f\u3000"
MARKS = "\u0300\u0301\u0302\u0303\u0304\u0307\u0308\u0323\u0328\u031b\u0344\u0345\u3099"
# Characters that NFC writes otherwise: as another one, as more than one, or with the next one.
COMPOSED_OTHERWISE = "\u212a\u212b\u2126\u037e\u1fef\u0340\u0958\ufb1d\ufb2c\u0f73\U0001d160\u01d5\u1100\u1161"
LETTERS = "aezżółćĄ\u00e9\u1ec7ßİ\u0131\u05e9ل日가"
SIGNS = ".,!?:;()[]{}<>&\"'`*_~#+=/\\@$%^|\u2026\u00ab\u00bb\u2032\u00b0\u20ac\u2122\u2192"
EMOJI = "\u231a\u23f0\u2611\u2705\u2764\u2b50\U0001f355\U0001f44f\U0001f3fd\U0001f1f5\U0001f1f1\ufe0f\u20e3"
PIECES = [
    "Hello",
    "world",
    "it's",
    "snake_case",
    "123",
    " ",
    "  ",
    ":::",
    "::",
    ":",
    " ::: ",
    "*",
    "**",
    "***",
    "_",
    "__",
    "~~",
    "`",
    "# ",
    "- ",
    "> ",
    "[",
    "](http://x.y)",
    "![",
    "<break time='5s'/>",
    "</speak>",
    '<mark name="0"/>',
    "&amp;",
    "&#0;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "\ufe0f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
]


def _any_of(characters: str | frozenset[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(characters))


CHARACTERS = st.one_of(
    _any_of(LETTERS),
    _any_of(SIGNS),
    _any_of(DASHES | CURLY_QUOTES),
    _any_of(WHITE_SPACE),
    _any_of(ZERO_WIDTH | CONTROL),
    _any_of(MARKS),
    _any_of(COMPOSED_OTHERWISE),
    _any_of(EMOJI),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), CHARACTERS), max_size=40).map("".join)
"""What JSON can carry: anything but lone surrogates."""

SURROGATES = st.characters(categories=["Cs"])
PYTHON_TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), CHARACTERS, SURROGATES), max_size=40).map("".join)
"""The same, with lone surrogates."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=10,
)
"""What JSON says, as orjson reads it."""


def up_to(length: int, texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of 1 to so many characters; the long ones repeat themselves."""
    times = st.sampled_from([1, 1, 2, 9, 99, length])
    return st.builds(lambda text, number: (text * number)[:length], texts.map(lambda text: text or "x"), times)


def dashes(text: str) -> list[str]:
    """The dashes of a text, in their order."""
    return [character for character in text if character in DASHES or unicodedata.category(character) == "Pd"]


def is_storable(text: str) -> bool:
    """Whether Postgres can store it: no NUL, no lone surrogates."""
    return "\x00" not in text and not any(unicodedata.category(character) == "Cs" for character in text)
