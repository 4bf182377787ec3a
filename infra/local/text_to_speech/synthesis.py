"""`text:synthesize`: what Google checks before it speaks, in Google's words, and the speaking.

Messages were taken from answers of the service that people have published; where none was found, the wording is ours.
"""

import re
from typing import Any

from google.cloud import texttospeech_v1beta1 as google_speech

from infra.local.text_to_speech import sound, ssml
from infra.local.text_to_speech.espeak import SAMPLE_RATE_HZ, Style, Utterance, espeak
from infra.local.text_to_speech.faults import invalid_argument, unimplemented
from infra.local.text_to_speech.voices import NATURAL_SAMPLE_RATE_HZ, VOICES, VOICES_BY_NAME, LocalVoice

Encoding = google_speech.AudioEncoding

LIMIT_BYTES = 5_000
MP3_KBPS = {Encoding.MP3: 32, Encoding.MP3_64_KBPS: 64}
MP3_RATES_HZ = frozenset({8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000})
WAV_RATES_HZ = range(8_000, 48_001)
SPOKEN_ENCODINGS = frozenset({Encoding.LINEAR16, Encoding.PCM, *MP3_KBPS})
CHIRP3_HD_ENCODINGS = ("LINEAR16", "MP3", "OGG_OPUS", "MULAW", "ALAW")
NOT_SPOKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # espeak-ng would take \x01 for a command
PITCH_PER_SEMITONE = 2.5

Request = google_speech.SynthesizeSpeechRequest
Config = google_speech.AudioConfig


def synthesize(request: Request) -> google_speech.SynthesizeSpeechResponse:
    """Speak; raises GoogleFault for what Google refuses."""
    voice = _voice(request.voice)
    config = _config(request.audio_config, voice)
    if _content_bytes(request.input) > LIMIT_BYTES:
        raise invalid_argument(
            "Either `input.text` or `input.ssml` is longer than the limit of 5000 bytes. This limit is different from "
            "quotas. To fix, reduce the byte length of the characters in this request, or consider using the Long "
            "Audio API: https://cloud.google.com/text-to-speech/docs/create-audio-text-long-audio-synthesis."
        )
    utterance, marks = _speak(request.input, voice, _style(voice, config))
    wants_marks = Request.TimepointType.SSML_MARK in request.enable_time_pointing
    return google_speech.SynthesizeSpeechResponse(
        audio_content=_encoded(utterance.samples, config),
        timepoints=[
            google_speech.Timepoint(mark_name=name, time_seconds=sample / SAMPLE_RATE_HZ) for name, sample in marks
        ]
        if wants_marks
        else [],
        audio_config=config,
    )


def _voice(wanted: google_speech.VoiceSelectionParams) -> LocalVoice:
    """The voice of that name, or the first of that language and gender."""
    if not wanted.language_code:
        raise invalid_argument("The language code is required: set `voice.language_code`.")
    if not wanted.name:
        return _any_voice(wanted)
    voice = VOICES_BY_NAME.get(wanted.name.lower())
    if voice is None:
        raise invalid_argument(f"Voice '{wanted.name}' does not exist. Is it misspelled?")
    if voice.language_code.lower() != wanted.language_code.lower():
        code = voice.language_code.lower()
        raise invalid_argument(
            f"Requested language code '{wanted.language_code}' doesn't match the voice '{voice.name}''s language code "
            f"'{code}'. Either pick a different voice, or change the requested language code to {code}."
        )
    return voice


def _any_voice(wanted: google_speech.VoiceSelectionParams) -> LocalVoice:
    language = wanted.language_code.lower()
    voices = [voice for voice in VOICES if voice.language_code.lower() in (language, f"{language}-{language}")]
    if not voices:
        raise invalid_argument(
            "No TTS voice matching the TTS request. Please correct the voice selection params and try again."
        )
    return next((voice for voice in voices if voice.gender == wanted.ssml_gender.name), voices[0])


def _config(wanted: Config, voice: LocalVoice) -> Config:
    """The audio configuration with its defaults filled in, as it is echoed."""
    if wanted.audio_encoding == Encoding.AUDIO_ENCODING_UNSPECIFIED:
        raise invalid_argument("The audio encoding is required: set `audio_config.audio_encoding`.")
    name = Encoding(wanted.audio_encoding).name
    if voice.is_chirp3_hd and name not in CHIRP3_HD_ENCODINGS:
        names = ", ".join(CHIRP3_HD_ENCODINGS)
        raise invalid_argument(f"This voice currently only supports the following audio encodings: {names}")
    if wanted.audio_encoding not in SPOKEN_ENCODINGS:
        raise unimplemented(f"The local server does not encode {name}.")
    config = Config(
        audio_encoding=wanted.audio_encoding,
        speaking_rate=wanted.speaking_rate or 1.0,
        pitch=wanted.pitch,
        volume_gain_db=wanted.volume_gain_db,
        sample_rate_hertz=wanted.sample_rate_hertz or NATURAL_SAMPLE_RATE_HZ,
    )
    _check_ranges(config)
    return config


def _check_ranges(config: Config) -> None:
    rates = MP3_RATES_HZ if config.audio_encoding in MP3_KBPS else WAV_RATES_HZ
    if config.sample_rate_hertz not in rates:
        raise invalid_argument(f"The sample rate {config.sample_rate_hertz} is not supported for the encoding.")
    for name, value, least, most in (
        ("speaking_rate", config.speaking_rate, 0.25, 2.0),
        ("pitch", config.pitch, -20.0, 20.0),
        ("volume_gain_db", config.volume_gain_db, -96.0, 16.0),
    ):
        if not least <= value <= most:
            raise invalid_argument(f"Invalid {name}: {value}. It must be between {least} and {most}.")


def _content_bytes(content: google_speech.SynthesisInput) -> int:
    return len((content.text or content.ssml).encode())


def _style(voice: LocalVoice, config: Config) -> Style:
    return Style(
        voice=voice.style.voice,
        words_per_minute=round(voice.style.words_per_minute * config.speaking_rate),
        pitch=min(100, max(0, round(voice.style.pitch + config.pitch * PITCH_PER_SEMITONE))),
    )


def _speak(
    content: google_speech.SynthesisInput, voice: LocalVoice, style: Style
) -> tuple[Utterance, list[tuple[str, int]]]:
    """What is heard, and at which of its samples each mark is reached."""
    if content.ssml:
        document = _document(content.ssml, voice)
        utterance = espeak().speak(document.markup, style, is_ssml=True)
        return utterance, document.mark_samples(utterance)
    if content.text:
        return espeak().speak(NOT_SPOKEN.sub(" ", content.text), style, is_ssml=False), []
    raise invalid_argument("Either `input.text` or `input.ssml` must be set, and not empty.")


def _document(content: str, voice: LocalVoice) -> ssml.Document:
    try:
        document = ssml.parse(content)
    except ssml.InvalidSsml:
        raise invalid_argument("Invalid SSML. Newer voices like Neural2 require valid SSML.") from None
    if document.marks and voice.is_chirp3_hd:
        raise invalid_argument("This voice does not support SSML input. Please try again with text only input.")
    return document


def _encoded(samples: bytes, config: Config) -> bytes:
    rate_hz: int = config.sample_rate_hertz
    samples = sound.resampled(sound.amplified(samples, config.volume_gain_db), SAMPLE_RATE_HZ, rate_hz)
    kbps: Any = MP3_KBPS.get(config.audio_encoding)
    if kbps:
        return sound.mp3(samples, rate_hz, kbps)
    return samples if config.audio_encoding == Encoding.PCM else sound.wav(samples, rate_hz)
