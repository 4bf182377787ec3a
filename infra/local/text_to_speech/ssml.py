"""SSML as Google reads it (https://cloud.google.com/text-to-speech/docs/ssml), made into what espeak-ng reads."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from infra.local.text_to_speech.espeak import Utterance

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# What espeak-ng renders; of every other element it gets the text alone.
RENDERED = frozenset({"break", "emphasis", "mark", "p", "prosody", "s", "say-as", "sub"})
DURATION = re.compile(r"\+?(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<unit>ms|s)")
LONGEST_BREAK_MS = 10_000


class InvalidSsml(ValueError):
    """The document is not well-formed, not SSML, or has a mark or break that says nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark, and the place in the markup where what follows it begins."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Document:
    """SSML that espeak-ng can speak."""

    markup: str
    marks: tuple[Mark, ...]

    def mark_samples(self, utterance: Utterance) -> list[tuple[str, int]]:
        """At which sample of its utterance each mark is reached."""
        return [(mark.name, _sample_of(mark, utterance)) for mark in self.marks]


def parse(ssml: str) -> Document:
    """Read a document; raises InvalidSsml."""
    try:
        root = fromstring(ssml)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise InvalidSsml(str(error)) from None
    if _tag(root) != "speak":
        raise InvalidSsml("The root element is not <speak>.")
    rendering = _Rendering()
    rendering.add(root)
    return Document(rendering.markup, tuple(rendering.marks))


class _Rendering:
    """The markup as it grows, and the marks so far."""

    def __init__(self) -> None:
        self.markup = ""
        self.marks: list[Mark] = []

    def add(self, element: "Element") -> None:
        """Add an element and all that is in it."""
        tag = _tag(element)
        is_rendered = tag in RENDERED or tag == "speak"
        self.markup += _opening(tag, element) if is_rendered else ""
        if tag == "mark":
            self.marks.append(Mark(element.attrib["name"], len(self.markup) + len("</mark>")))
        self.markup += escape(element.text or "")
        for child in element:
            self.add(child)
            self.markup += escape(child.tail or "")
        self.markup += f"</{tag}>" if is_rendered else ""


def _tag(element: "Element") -> str:
    return str(element.tag).rpartition("}")[2]


def _opening(tag: str, element: "Element") -> str:
    attributes = dict(element.attrib)
    if tag == "mark" and not attributes.get("name"):
        raise InvalidSsml("A <mark> has no name.")
    if tag == "break" and "time" in attributes:
        attributes["time"] = f"{_break_ms(attributes['time'])}ms"
    return f"<{tag}{''.join(f' {name}={quoteattr(value)}' for name, value in attributes.items())}>"


def _break_ms(time: str) -> int:
    duration = DURATION.fullmatch(time.strip())
    if duration is None:
        raise InvalidSsml(f"A <break> of {time!r} is no duration.")
    return min(LONGEST_BREAK_MS, round(float(duration["number"]) * (1 if duration["unit"] == "ms" else 1000)))


def _sample_of(mark: Mark, utterance: Utterance) -> int:
    """espeak-ng tells of no mark right after the end of a sentence: it is where the next word begins."""
    if mark.name in utterance.marks:
        return utterance.marks[mark.name]
    end = len(utterance.samples) // 2
    return next((sample for position, sample in utterance.words if position >= mark.position), end)
