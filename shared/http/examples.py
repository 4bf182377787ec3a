"""Examples for the OpenAPI document: one of every body and every answer, about one learner and one notebook."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, SecretStr

from shared.dto import account, audio_segments, builds, jobs, notebooks, phrases, playback, tts_credentials, voices
from shared.dto.speech import Voice, WordTiming
from shared.errors import AppError, InvalidKey, ValidationFailed

LEARNER_ID = UUID("3f0c5a52-6c1e-4a4e-9d0e-2b7f3a1c9e01")
NOTEBOOK_ID = UUID("7b1d2e9a-4c35-4f08-8a6d-5e2c9b7f1a02")
PHRASE_ID = UUID("c2a94d71-0f6b-4b3a-9e58-1d7c6f2b8e03")
JOB_ID = UUID("9e4f7c28-3b5d-4d16-b1a9-6c8e2f5d7a04")
BUILD_ID = UUID("5d8b3f16-7e2a-4c94-8f37-9a1b4c6e2d05")
SEGMENT_ID = UUID("a6e1c9d4-2f8b-4e57-9c03-7b5d1f3a8e06")
CHOICE_ID = UUID("e8d2b5f7-1c4a-4930-a7f6-3e9c5b8d2a07")
AT = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 1, 31, 8, 7, 30, tzinfo=UTC)

NOTEBOOK = notebooks.Notebook(
    id=NOTEBOOK_ID,
    name="At the station",
    current_build_id=BUILD_ID,
    last_generate_job_id=JOB_ID,
    created_at=AT,
    updated_at=LATER,
)
REJECTED = notebooks.ImportLog(line_no=2, raw_text="Where is platform two?", reason="The line has no ' ::: '.")
PHRASE = phrases.Phrase(
    id=PHRASE_ID,
    position=10,
    en_text="A return ticket, please.",
    pl_text="Poproszę bilet powrotny.",
    tokens=None,
    created_at=AT,
    updated_at=AT,
)
JOB = jobs.Job(
    id=JOB_ID,
    user_id=LEARNER_ID,
    notebook_id=NOTEBOOK_ID,
    type="GENERATE_REBUILD",
    state=jobs.JobState.RUNNING,
    started_at=AT,
    ended_at=None,
    timeout_sec=1800,
    error=None,
    created_at=AT,
    progress=jobs.JobProgress(total=4, complete=1, failed=0, missing=3),
)
BUILD = builds.Build(id=BUILD_ID, job_id=JOB_ID, notebook_id=NOTEBOOK_ID, created_at=AT, is_active=True)
TIMINGS = [WordTiming(text="A", offset=0, length=1, start_ms=40, end_ms=110)]
SEGMENT = audio_segments.AudioSegment(
    id=SEGMENT_ID,
    phrase_id=PHRASE_ID,
    voice_slot=voices.VoiceSlot.EN1,
    build_id=BUILD_ID,
    path=f"audio/{LEARNER_ID}/{NOTEBOOK_ID}/{BUILD_ID}/{PHRASE_ID}/EN1.mp3",
    duration_ms=1730,
    size_bytes=13840,
    sample_rate_hz=22050,
    bitrate_kbps=64,
    status=audio_segments.SegmentStatus.COMPLETE,
    error_code=None,
    word_timings=TIMINGS,
    is_active=True,
    created_at=AT,
    updated_at=LATER,
)
CHOICE = voices.UserVoiceSlot(
    id=CHOICE_ID, slot=voices.VoiceSlot.EN1, language="en", voice_id="en-US-Neural2-D", created_at=AT
)
OFFERED = Voice(
    voice_id="en-US-Neural2-D", language_code="en-US", gender="MALE", family="Neural2", natural_sample_rate_hz=24000
)
KEY_STATE = tts_credentials.TtsCredentialsState(
    is_configured=True, last_validated_at=AT, key_fingerprint="SHA256:9f2c41d7e08ab356"
)
MANIFEST = playback.PlaybackManifest(
    notebook_id=NOTEBOOK_ID,
    build_id=BUILD_ID,
    sequence=[
        playback.ManifestItem(
            phrase=playback.ManifestPhrase(**PHRASE.model_dump(exclude={"created_at", "updated_at"})),
            segments=[
                playback.ManifestSegment(
                    slot=voices.VoiceSlot.EN1,
                    status="complete",
                    url=f"https://storage.googleapis.com/audio-loop/{SEGMENT.path}?X-Goog-Signature=...",
                    duration_ms=1730,
                    word_timings=TIMINGS,
                )
            ],
        )
    ],
    expires_at=LATER,
    hints=playback.ManifestHints(speed=0.9, highlight="on"),
)
IMPORTED = {
    "notebook": NOTEBOOK,
    "import": notebooks.ImportSummary(accepted=1, rejected=1, logs=[REJECTED]),
}

BODIES: tuple[BaseModel, ...] = (
    jobs.GenerateRebuildJobRequest(timeout_sec=600),
    notebooks.ImportRequest(
        name=NOTEBOOK.name, lines=[f"{PHRASE.en_text} ::: {PHRASE.pl_text}", REJECTED.raw_text], normalize=True
    ),
    notebooks.NotebookCreateRequest(name=NOTEBOOK.name),
    notebooks.NotebookPatchRequest(name="At the airport"),
    phrases.PhraseCreateRequest(en_text=PHRASE.en_text, pl_text=PHRASE.pl_text, position=10),
    phrases.PhrasePatchRequest(pl_text="Bilet powrotny, proszę."),
    phrases.PhraseReorderRequest(moves=[phrases.PhraseMove(phrase_id=PHRASE_ID, position=20)]),
    tts_credentials.TtsCredentialsPutRequest(google_api_key=SecretStr("AIza-your-key")),
    tts_credentials.TtsCredentialsTestRequest(google_api_key=SecretStr("AIza-your-key")),
    voices.UserVoicePutRequest(language="en", voice_id="en-US-Neural2-D"),
    voices.VoicePreviewRequest(voice_id="pl-PL-Standard-A", text="Dzień dobry!"),
)
ANSWERS: tuple[BaseModel, ...] = (
    account.Account(id=LEARNER_ID, created_at=AT),
    account.Health(status="ok", db="ok", time=AT),
    SEGMENT,
    audio_segments.AudioSegmentPage(items=[SEGMENT], next_cursor=None),
    notebooks.AudioStatus(
        notebook_id=NOTEBOOK_ID, build_id=BUILD_ID, complete_count=4, failed_count=0, missing_count=0, updated_at=LATER
    ),
    BUILD,
    builds.BuildPage(items=[BUILD], next_cursor=None),
    notebooks.ImportLogPage(items=[REJECTED], next_cursor=None),
    JOB,
    jobs.JobAccepted(job=JOB),
    jobs.JobCanceled(id=JOB_ID),
    jobs.JobPage(items=[JOB], next_cursor=None),
    NOTEBOOK,
    notebooks.NotebookImported.model_validate(IMPORTED),
    notebooks.NotebookPage(items=[NOTEBOOK], next_cursor=None),
    PHRASE,
    phrases.PhrasePage(items=[PHRASE], next_cursor=None),
    phrases.PhrasesReordered(updated=1),
    MANIFEST,
    KEY_STATE,
    tts_credentials.TtsCredentialsTested(voice_sampled="en-US-Standard-C"),
    CHOICE,
    voices.UserVoices(slots=[CHOICE]),
    voices.VoiceCatalogue(items=[OFFERED]),
)
FAILED: dict[str, BaseModel] = {"Health": account.Health(status="degraded", db="unreachable", time=AT)}
PARAMETERS: dict[str, Any] = {
    "notebook_id": NOTEBOOK_ID,
    "phrase_id": PHRASE_ID,
    "job_id": JOB_ID,
    "build_id": BUILD_ID,
    "audio_segment_id": SEGMENT_ID,
    "slot": "EN1",
    "phrase_ids": PHRASE_ID,
    "Idempotency-Key": UUID("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"),
}
REFUSALS: dict[type[AppError], AppError] = {
    ValidationFailed: ValidationFailed.of("query.limit", "Input should be less than or equal to 100"),
    InvalidKey: InvalidKey(reason="API_KEY_INVALID", hint="Copy the key from the Google Cloud console again."),
}


def body_example(model: str) -> Any:
    """A body or an answer by the name of its model, as it goes over the wire, secrets too; raises KeyError."""
    example = _BY_NAME[model]
    values = example.model_dump(by_alias=True, exclude_unset=example in BODIES)
    return _wire(values)


def failed_example(model: str) -> Any:
    """The same for an answer that a view gives with the status of an error."""
    return _wire(FAILED[model].model_dump(by_alias=True))


def parameter_example(name: str) -> Any:
    """A parameter's value, None where its schema says enough."""
    return _wire(PARAMETERS.get(name))


def error_example(error: type[AppError]) -> Any:
    """An error as it goes over the wire."""
    refusal = REFUSALS.get(error) or error()
    return {"error": {"code": refusal.code, "message": refusal.message, "details": refusal.details}}


def _wire(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=SecretStr.get_secret_value, option=orjson.OPT_UTC_Z))


_BY_NAME = {type(example).__name__: example for example in (*BODIES, *ANSWERS)}
