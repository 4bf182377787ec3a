"""Samples: louder or quieter, at another rate, as WAV, as MP3."""

import io
import wave
from array import array

import lameenc


def amplified(samples: bytes, gain_db: float) -> bytes:
    """16-bit samples, louder by so many decibels; what does not fit is clipped."""
    if gain_db == 0:
        return samples
    gain = 10 ** (gain_db / 20)
    return array("h", [max(-32_768, min(32_767, int(sample * gain))) for sample in array("h", samples)]).tobytes()


def resampled(samples: bytes, rate_hz: int, new_rate_hz: int) -> bytes:
    """Mono 16-bit samples at another rate, by linear interpolation: good enough for an ear on a development machine."""
    if rate_hz == new_rate_hz or not samples:
        return samples
    old = array("h", samples)
    old.append(old[-1])
    places = (number * rate_hz / new_rate_hz for number in range((len(old) - 1) * new_rate_hz // rate_hz))
    return array("h", [_between(old, place) for place in places]).tobytes()


def _between(samples: "array[int]", place: float) -> int:
    before = int(place)
    return int(samples[before] + (samples[before + 1] - samples[before]) * (place - before))


def wav(samples: bytes, rate_hz: int) -> bytes:
    """A mono 16-bit WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(samples)
    return file.getvalue()


def mp3(samples: bytes, rate_hz: int, bitrate_kbps: int) -> bytes:
    """A mono MP3 of constant bit rate; `rate_hz` is one of MPEG's."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(bitrate_kbps)
    encoder.set_in_sample_rate(rate_hz)
    encoder.set_out_sample_rate(rate_hz)
    encoder.set_channels(1)
    encoder.set_quality(7)
    return bytes(encoder.encode(samples) + encoder.flush())
