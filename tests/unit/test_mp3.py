"""Clips: their form, their silence, their loudness, and how fast they are made."""

import io
import math
import time
from array import array
from typing import Any

import lameenc
import pytest
from mutagen.mp3 import MONO, MP3, BitrateMode

from shared.dto.speech import SAMPLE_RATE_HZ, Speech
from shared.errors import AppError
from shared.services import mp3
from shared.services.mp3 import CODEC_DELAY, PAD, PEAK_LIMIT, encode

DELAY_MS = 50
PAD_MS = 50


def silence(seconds: float) -> "array[int]":
    return array("h", bytes(2 * round(seconds * SAMPLE_RATE_HZ)))


def tone(seconds: float, peak: int = 10_000, hertz: int = 200) -> "array[int]":
    count = round(seconds * SAMPLE_RATE_HZ)
    return array("h", [round(peak * math.sin(math.tau * hertz * n / SAMPLE_RATE_HZ)) for n in range(count)])


def speech(*parts: "array[int]", **marks: float) -> Speech:
    return Speech(b"".join(part.tobytes() for part in parts), marks)


def info_of(data: bytes) -> Any:
    return MP3(io.BytesIO(data)).info


def what_lame_gets(monkeypatch: pytest.MonkeyPatch, spoken: Speech) -> "array[int]":
    """The samples that are encoded."""
    seen: list[array[int]] = []
    original = mp3._lame

    def watched(samples: "array[int]") -> bytes:
        seen.append(samples)
        return original(samples)

    with monkeypatch.context() as patch:
        patch.setattr(mp3, "_lame", watched)
        encode(spoken)
    return seen[0]


def rms(samples: "array[int]") -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


class TestForm:
    @pytest.mark.parametrize("seconds", [0.1, 1.0, 2.5, 30.0])
    def test_it_is_22050_hz_mono_64_kbps(self, seconds: float) -> None:
        info = info_of(encode(speech(tone(seconds))).data)
        assert (info.sample_rate, info.mode, info.bitrate, info.layer) == (22_050, MONO, 64_000, 3)
        assert info.bitrate_mode is not BitrateMode.VBR

    @pytest.mark.parametrize("seconds", [0.1, 1.0, 2.5, 30.0])
    def test_the_duration_is_that_of_the_bytes(self, seconds: float) -> None:
        clip = encode(speech(tone(seconds)))
        assert clip.duration_ms == round(info_of(clip.data).length * 1000) == pytest.approx(clip.size_bytes / 8, abs=1)
        assert clip.duration_ms == pytest.approx(seconds * 1000 + DELAY_MS, abs=80)

    def test_every_frame_has_the_same_bit_rate(self) -> None:
        data = encode(speech(tone(2), silence(1), tone(1, hertz=3_000))).data
        position, frames = 0, 0
        while position < len(data):
            header = int.from_bytes(data[position : position + 4], "big")
            assert (header >> 21, header >> 12 & 15, header >> 10 & 3) == (0x7FF, 8, 0), position
            position += 72 * 64_000 // 22_050 + (header >> 9 & 1)
            frames += 1
        assert position == len(data)
        assert frames > 100

    def test_an_encoder_that_disobeys_is_found_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoder = lameenc.Encoder()
        encoder.silence()
        encoder.set_channels(1)
        encoder.set_in_sample_rate(SAMPLE_RATE_HZ)
        encoder.set_bit_rate(32)
        other = bytes(encoder.encode(tone(0.5).tobytes()) + encoder.flush())
        monkeypatch.setattr(mp3, "_lame", lambda _: other)
        with pytest.raises(AppError, match="32000"):
            encode(speech(tone(0.5)))


class TestSilence:
    def test_silence_around_the_sound_is_cut_to_a_pad(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = what_lame_gets(monkeypatch, speech(silence(1), tone(0.5), silence(2)))
        assert len(encoded) / SAMPLE_RATE_HZ == pytest.approx(0.5 + 2 * PAD_MS / 1000, abs=0.021)

    def test_silence_within_the_sound_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = what_lame_gets(monkeypatch, speech(tone(0.5), silence(1), tone(0.5)))
        assert len(encoded) == 2 * SAMPLE_RATE_HZ

    def test_noise_far_below_the_sound_is_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = what_lame_gets(monkeypatch, speech(tone(1, peak=30), tone(0.5), tone(1, peak=30)))
        assert len(encoded) / SAMPLE_RATE_HZ < 0.65

    def test_a_soft_beginning_is_not_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = what_lame_gets(monkeypatch, speech(silence(1), tone(0.3, peak=300), tone(0.5)))
        assert len(encoded) / SAMPLE_RATE_HZ >= 0.8

    def test_a_quiet_voice_is_trimmed_like_a_loud_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lengths = [
            len(what_lame_gets(monkeypatch, speech(silence(1), tone(0.5, peak=peak), silence(1))))
            for peak in (200, 20_000)
        ]
        assert lengths[0] == lengths[1]

    @pytest.mark.parametrize("samples", [silence(0), silence(0.001), silence(3), array("h", [0])])
    def test_mere_silence_is_a_short_clip(self, samples: "array[int]") -> None:
        clip = encode(speech(samples, a=0.0))
        assert 1 <= clip.duration_ms < 300
        assert info_of(clip.data).sample_rate == 22_050

    def test_a_single_click_is_a_clip(self) -> None:
        assert encode(speech(array("h", [-32_768]))).duration_ms >= 1


class TestLoudness:
    @pytest.mark.parametrize("peak", [300, 3_000, 12_000, 32_000])
    def test_voices_come_out_equally_loud(self, monkeypatch: pytest.MonkeyPatch, peak: int) -> None:
        encoded = what_lame_gets(monkeypatch, speech(tone(1, peak=peak)))
        assert 20 * math.log10(rms(encoded) / 32_767) == pytest.approx(-20, abs=0.3)

    def test_pauses_do_not_make_a_voice_louder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without = what_lame_gets(monkeypatch, speech(tone(1)))
        paused = what_lame_gets(monkeypatch, speech(tone(0.5), silence(3), tone(0.5)))
        assert max(paused) == pytest.approx(max(without), rel=0.02)

    def test_a_voice_of_sharp_peaks_is_not_clipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clicks = array("h", [20_000 if n % 400 == 0 else 100 * (-1) ** n for n in range(SAMPLE_RATE_HZ)])
        encoded = what_lame_gets(monkeypatch, speech(clicks))
        assert max(encoded) == pytest.approx(PEAK_LIMIT, rel=0.01)
        assert max(encoded) <= PEAK_LIMIT

    def test_the_loudest_sample_there_is_does_no_harm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = what_lame_gets(monkeypatch, speech(array("h", [-32_768, 32_767] * 10_000)))
        assert -PEAK_LIMIT <= min(encoded) <= max(encoded) <= PEAK_LIMIT


class TestTimes:
    def test_marks_move_with_the_silence_that_is_cut(self) -> None:
        clip = encode(speech(silence(1), tone(1), silence(1), a=1.0, b=1.5))
        assert clip.mark_ms["a"] == pytest.approx(PAD_MS + DELAY_MS, abs=11)
        assert clip.mark_ms["b"] - clip.mark_ms["a"] == 500
        assert clip.sound_end_ms == pytest.approx(1000 + PAD_MS + DELAY_MS, abs=11)

    def test_a_mark_in_silence_that_is_cut_is_at_the_beginning(self) -> None:
        assert encode(speech(silence(1), tone(1), a=0.0)).mark_ms == {"a": 0}

    def test_no_time_is_after_the_end(self) -> None:
        clip = encode(speech(tone(0.5), a=0.5))
        assert clip.mark_ms["a"] <= clip.duration_ms
        assert clip.sound_end_ms <= clip.duration_ms

    def test_the_delay_is_that_of_lame_and_of_every_decoder(self) -> None:
        assert round(CODEC_DELAY * 1000 / SAMPLE_RATE_HZ) == DELAY_MS
        assert round(PAD * 1000 / SAMPLE_RATE_HZ) == PAD_MS


def test_two_seconds_take_little_of_the_processor() -> None:
    spoken = speech(tone(2))
    encode(spoken)
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        encode(spoken)
        seconds.append(time.process_time() - begin)
    assert min(seconds) < 0.06
