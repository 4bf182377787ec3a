"""Clips of any samples whatever: how long they are, how loud, and when their marks come."""

from array import array
from itertools import chain

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.dto.speech import SAMPLE_RATE_HZ, Speech
from shared.services.mp3 import LOUDNESS, PAD, PEAK_LIMIT, _amplified, _gain, _sound, encode

FRAME = 576  # samples: ISO/IEC 13818-3, layer III at 22,050 Hz
DELAY = 2 * FRAME  # what LAME puts before and behind the samples
LOUDEST = 32_768


def stretch(length: int, height: int, click: int | None = None) -> list[int]:
    """Samples that go up and down by `height`, perhaps with a click at the beginning."""
    waves = [min(height, LOUDEST - 1), -height] * length
    return waves[:length] if click is None else [-click, *waves[1:length]]


HEIGHTS = st.sampled_from([0, 0, 1, 50, 10_000, LOUDEST]) | st.integers(0, LOUDEST)
STRETCHES = st.builds(stretch, st.integers(0, 3_000), HEIGHTS, st.none() | HEIGHTS)
SOUNDS = st.lists(STRETCHES, max_size=5).map(lambda stretches: array("h", chain.from_iterable(stretches)))


@settings(max_examples=40)
@given(st.integers(1, 10_000), st.integers(1, LOUDEST))
def test_a_clip_without_silence_is_as_long_as_its_samples_to_the_frame(length: int, height: int) -> None:
    clip = encode(Speech(array("h", stretch(length, height)).tobytes()))
    samples = clip.duration_ms * SAMPLE_RATE_HZ / 1000
    assert -SAMPLE_RATE_HZ / 1000 < samples - (length + DELAY) < FRAME + SAMPLE_RATE_HZ / 1000


@settings(max_examples=40)
@given(SOUNDS, st.lists(st.floats(0, 1), max_size=5))
@example(array("h", stretch(9_000, 0) + stretch(1_000, 10_000)), [0.0, 0.5, 1.0])
def test_a_clip_has_all_its_times_in_order_and_is_no_longer_than_its_samples(
    samples: "array[int]", places: list[float]
) -> None:
    seconds = [place * len(samples) / SAMPLE_RATE_HZ for place in sorted(places)]
    clip = encode(Speech(samples.tobytes(), {str(number): second for number, second in enumerate(seconds)}))
    longest = max(len(samples), 2 * PAD) + DELAY + FRAME
    assert 0 < clip.duration_ms <= round(longest * 1000 / SAMPLE_RATE_HZ)
    assert 0 <= clip.sound_end_ms <= clip.duration_ms
    times = list(clip.mark_ms.values())
    assert len(times) == len(seconds)
    assert times == sorted(times)
    assert min(times, default=0) >= 0


@settings(max_examples=20)
@given(st.integers(0, 50_000))
def test_silence_is_the_same_clip_however_long(length: int) -> None:
    assert encode(Speech(bytes(2 * length))) == encode(Speech(b""))


@given(SOUNDS.filter(any))
@example(array("h", stretch(3_000, 1_000, LOUDEST)))
def test_no_sound_is_clipped_or_too_loud(samples: "array[int]") -> None:
    sound = _sound(samples)
    louder = _amplified(samples, _gain(sound))
    assert max(max(louder), -min(louder)) <= PEAK_LIMIT
    assert sound.rms * _gain(sound) <= LOUDNESS * 1.000_001
