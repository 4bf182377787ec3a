"""espeak-ng in this process, by ctypes. Constants and structures are those of its speak_lib.h, version 1.52.

The library keeps its state in globals and crashes when two threads use it at once, so one lock guards every call.
"""

import atexit
import ctypes
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

import espeakng_loader

SAMPLE_RATE_HZ = 22_050

SYNCHRONOUS = 2
DO_NOT_EXIT = 0x8000
POSITION_IN_CHARACTERS = 1
UTF8, SSML = 1, 0x10
RATE, PITCH = 1, 3
END, WORD, MARK = 0, 1, 3

# espeak-ng keeps the path of its data in a buffer of 160 bytes, N_PATH_HOME_DEF, to which it adds names of files.
LONGEST_DATA_PATH = 100


class EventId(ctypes.Union):
    """espeak_EVENT.id"""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT"""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


@dataclass(frozen=True, slots=True)
class Style:
    """How espeak-ng speaks: a voice of its, perhaps with a variant (`en-us+f2`), its speed, its pitch of 0 to 100."""

    voice: str
    words_per_minute: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Mono 16-bit samples at SAMPLE_RATE_HZ, and what begins at which sample.

    Words are named by the place of their first character in the input, and may be one or two characters off behind
    markup; marks are named by themselves, and those right after the end of a sentence are missing.
    """

    samples: bytes
    words: tuple[tuple[int, int], ...]
    marks: dict[str, int]


class Espeak:
    """The library, started. There is one: see `espeak()`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._samples = bytearray()
        self._words: list[tuple[int, int]] = []
        self._marks: dict[str, int] = {}
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._callback = SynthCallback(self._collect)  # kept, since the library holds a bare pointer to it
        data = _short(Path(espeakng_loader.get_data_path()))
        if self._library.espeak_Initialize(SYNCHRONOUS, 0, str(data).encode(), DO_NOT_EXIT) != SAMPLE_RATE_HZ:
            raise RuntimeError(f"espeak-ng did not start with the data in {data}")
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, style: Style, *, is_ssml: bool) -> Utterance:
        """Say a text or an SSML document; raises LookupError for a voice that espeak-ng does not have."""
        data = text.encode() + b"\0"
        with self._lock:
            self._samples.clear()
            self._words, self._marks = [], {}
            self._use(style)
            flags = UTF8 | (SSML if is_ssml else 0)
            if self._library.espeak_Synth(data, len(data), 0, POSITION_IN_CHARACTERS, 0, flags, None, None):
                raise RuntimeError("espeak-ng failed")
            return Utterance(bytes(self._samples), tuple(self._words), self._marks)

    def _use(self, style: Style) -> None:
        if self._library.espeak_SetVoiceByName(style.voice.encode()):
            raise LookupError(style.voice)
        self._library.espeak_SetParameter(RATE, style.words_per_minute, 0)
        self._library.espeak_SetParameter(PITCH, style.pitch, 0)

    def _collect(self, samples: int | None, count: int, events: "ctypes._Pointer[Event]") -> int:
        """espeak-ng's callback: takes what it has made since the last one."""
        if samples and count:
            self._samples += ctypes.string_at(samples, count * 2)
        for event in _until_end(events):
            if event.type == WORD:
                self._words.append((event.text_position - 1, event.sample))
            elif event.type == MARK:
                self._marks.setdefault((event.id.name or b"").decode(), event.sample)
        return 0


@cache
def espeak() -> Espeak:
    """The one instance that a process may have."""
    return Espeak()


def _short(data: Path) -> Path:
    """The directory by a path that fits, which is a link until the process ends where its own is too long."""
    if len(str(data).encode()) <= LONGEST_DATA_PATH:
        return data
    directory = tempfile.mkdtemp(prefix="espeak-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    link = Path(directory, data.name)
    link.symlink_to(data)
    return link


def _until_end(events: "ctypes._Pointer[Event]") -> Iterator[Event]:
    number = 0
    while (event := events[number]).type != END:
        yield event
        number += 1
