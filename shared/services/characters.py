"""Characters that nobody sees or hears."""

from unicodedata import category

# To Unicode these are letters and marks, and yet Default_Ignorable_Code_Point (DerivedCoreProperties.txt): the grapheme
# joiner, and the fillers of Hangul and Khmer. Variation selectors are too, but they change how a character looks.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def is_invisible(character: str) -> bool:
    """Whether it is a control character (category Cc) or has no width (Cf, and the fillers); tabs and the like are."""
    return category(character) in ("Cc", "Cf") or character in FILLERS
