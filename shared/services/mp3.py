"""Samples to MP3: trimmed, as loud as every other clip, 64 kbps constant bit rate, mono, 22,050 Hz."""

import io
import math
import operator
from array import array
from dataclasses import dataclass
from typing import Any

import lameenc
from mutagen.mp3 import MONO, MP3

from shared.dto.speech import SAMPLE_RATE_HZ, Mp3, Speech
from shared.errors import AppError

BITRATE_KBPS = 64
LAME_QUALITY = 5  # 0 is best and slowest; at 64 kbps speech, 2 takes twice as long and sounds the same
FULL_SCALE = 32_767

WINDOW = SAMPLE_RATE_HZ // 100
PAD = SAMPLE_RATE_HZ // 20
SILENCE_BELOW_PEAK = 10 ** (-45 / 20)
LOUDNESS = FULL_SCALE * 10 ** (-20 / 20)
PEAK_LIMIT = FULL_SCALE * 10 ** (-1 / 20)

# LAME's own delay of 576 samples and the 529 of every decoder come before the first sample: lameenc writes no Info
# frame from which a player could learn to skip them (LAME's doc/html/detailed.html, "Info frame").
CODEC_DELAY = 1_105


@dataclass(frozen=True, slots=True)
class Sound:
    """Where the audible part begins and ends, in samples, and its loudness: RMS of its audible windows, and peak."""

    start: int
    stop: int
    rms: float
    peak: int


def encode(speech: Speech) -> Mp3:
    """The clip of a speech; silence becomes a short silent clip. Raises AppError where the encoder disobeys."""
    samples = array("h", speech.samples)
    sound = _sound(samples)
    start, stop = max(0, sound.start - PAD), min(len(samples), sound.stop + PAD)
    data = _lame(_amplified(samples[start:stop], _gain(sound)) if sound.peak else array("h", bytes(2 * PAD)))
    shift = CODEC_DELAY - start
    return Mp3(
        data=data,
        duration_ms=_measured_duration_ms(data),
        sound_end_ms=_milliseconds(sound.stop + shift),
        mark_ms={
            name: max(0, _milliseconds(seconds * SAMPLE_RATE_HZ + shift))
            for name, seconds in speech.mark_seconds.items()
        },
    )


def _sound(samples: "array[int]") -> Sound:
    """The audible part: from the first to the last window whose peak is not far below that of the whole."""
    windows = [samples[start : start + WINDOW] for start in range(0, len(samples), WINDOW)]
    peaks = [max(max(window), -min(window)) for window in windows]
    peak = max(peaks, default=0)
    audible = [number for number, height in enumerate(peaks) if height and height >= peak * SILENCE_BELOW_PEAK]
    if not audible:
        return Sound(start=0, stop=0, rms=0, peak=0)
    energy = sum(sum(map(operator.mul, windows[number], windows[number])) for number in audible)
    count = sum(len(windows[number]) for number in audible)
    return Sound(
        start=audible[0] * WINDOW,
        stop=min((audible[-1] + 1) * WINDOW, len(samples)),
        rms=math.sqrt(energy / count),
        peak=peak,
    )


def _gain(sound: Sound) -> float:
    """What brings the sound to LOUDNESS, unless its peak would go over PEAK_LIMIT."""
    return min(LOUDNESS / sound.rms, PEAK_LIMIT / sound.peak)


def _amplified(samples: "array[int]", gain: float) -> "array[int]":
    return array("h", [int(sample * gain) for sample in samples])


def _lame(samples: "array[int]") -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(BITRATE_KBPS)
    encoder.set_in_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_out_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_channels(1)
    encoder.set_quality(LAME_QUALITY)
    return bytes(encoder.encode(samples.tobytes()) + encoder.flush())


def _measured_duration_ms(data: bytes) -> int:
    """The duration that the bytes have; raises AppError unless they are what every clip has to be."""
    info: Any = MP3(io.BytesIO(data)).info
    facts = (info.sample_rate, info.bitrate, info.mode)
    if facts != (SAMPLE_RATE_HZ, BITRATE_KBPS * 1000, MONO):
        raise AppError(f"The MP3 encoder made {facts} of what shall be 22,050 Hz, 64 kbps, mono.")
    duration_ms: int = round(info.length * 1000)
    return duration_ms


def _milliseconds(samples: float) -> int:
    return round(samples * 1000 / SAMPLE_RATE_HZ)
