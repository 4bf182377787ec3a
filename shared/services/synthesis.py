"""Makes one segment: phrase to MP3 to bucket."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog
from structlog.contextvars import bind_contextvars

from shared.clients.audio_storage import AudioStorage, StoredObject
from shared.clients.task_queues import TaskQueues
from shared.clients.text_to_speech import TextToSpeech
from shared.config import SynthesisSettings
from shared.db import audio_segments, jobs
from shared.db.audio_segments import Claim
from shared.db.database import Database
from shared.dto.jobs import FAILED_MESSAGE, JobError, JobState
from shared.dto.speech import WordTiming
from shared.errors import AppError, DatabaseFailed, InvalidKey, SpeechError, StorageFailed, TryAgainLater
from shared.services.fan_out import finalize_task
from shared.services.key_ring import KeyRing
from shared.services.mp3 import encode
from shared.services.speech_input import speech_request, word_timings
from shared.services.tts_credentials import decrypted_key_of

log = structlog.get_logger()


@dataclass(frozen=True)
class Clip:
    """A stored MP3."""

    size_bytes: int
    duration_ms: int
    text_sha256: bytes
    word_timings: list[WordTiming] | None


@dataclass(frozen=True)
class Synthesis:
    """Makes segments, each once, however often it is asked."""

    database: Database
    queues: TaskQueues
    storage: AudioStorage
    speech: TextToSpeech
    key_ring: KeyRing
    settings: SynthesisSettings

    def run(self, segment_id: UUID) -> None:
        """Make the segment unless that is done, being done, or of no use any more; raises TryAgainLater."""
        with self.database.transaction() as transaction:
            claim = audio_segments.claim(transaction, segment_id, self.settings.lease_seconds)
        if claim is None:
            self._leave(segment_id)
            return
        bind_contextvars(job_id=str(claim.job_id), segment_id=str(segment_id))
        try:
            clip = self._clip(claim)
        except DatabaseFailed:
            raise  # says nothing of the segment; the task comes again
        except InvalidKey as error:
            self._fail_job(claim, error)
        except (SpeechError, StorageFailed) as error:
            self._retry_or_fail(claim, error)
        except AppError as error:
            self._fail(claim, "internal", error)
        else:
            self._complete(claim, clip)

    def _leave(self, segment_id: UUID) -> None:
        with self.database.transaction() as transaction:
            standing = audio_segments.standing(transaction, segment_id)
        if standing is None:
            return
        if standing.is_leased:
            raise TryAgainLater(retry_after_seconds=standing.lease_seconds_left)
        self._finish_if_last(standing.job_id)

    def _clip(self, claim: Claim) -> Clip:
        if claim.attempts > self.settings.synthesis_attempts:
            raise AppError("Every attempt at this segment broke off.")
        stored = self.storage.find(claim.path) if claim.attempts > 1 else None
        return _clip_of(stored) if stored else self._make(claim)

    def _make(self, claim: Claim) -> Clip:
        if claim.encrypted_key is None:
            raise InvalidKey(reason="KEY_REMOVED", hint="Save a Google Text-to-Speech key in the settings.")
        key = decrypted_key_of(self.database, self.key_ring, claim.user_id, claim.encrypted_key)
        request = speech_request(claim.text, claim.voice_id)
        mp3 = encode(self.speech.synthesize(key, request))
        clip = Clip(
            size_bytes=len(mp3.data),
            duration_ms=mp3.duration_ms,
            text_sha256=hashlib.sha256(claim.text.encode()).digest(),
            word_timings=word_timings(request, mp3),
        )
        if self.storage.create(claim.path, mp3.data, _metadata_of(clip)):
            return clip
        stored = self.storage.find(claim.path)
        if stored is None:
            raise StorageFailed
        return _clip_of(stored)

    def _complete(self, claim: Claim, clip: Clip) -> None:
        with self.database.transaction() as transaction:
            audio_segments.complete(
                transaction,
                claim.segment_id,
                duration_ms=clip.duration_ms,
                size_bytes=clip.size_bytes,
                text_sha256=clip.text_sha256,
                word_timings=clip.word_timings,
            )
        log.info("segment complete", voice_id=claim.voice_id, attempts=claim.attempts, duration_ms=clip.duration_ms)
        self._finish_if_last(claim.job_id)

    def _retry_or_fail(self, claim: Claim, error: SpeechError | StorageFailed) -> None:
        code = "storage" if isinstance(error, StorageFailed) else error.segment_code
        is_passing = isinstance(error, StorageFailed) or error.passing
        if not is_passing or claim.attempts >= self.settings.synthesis_attempts:
            self._fail(claim, code, error)
            return
        wait_seconds = error.retry_after_seconds or 0.0
        with self.database.transaction() as transaction:
            audio_segments.release(transaction, claim.segment_id, wait_seconds)
        log.warning("segment put off", error_code=code, attempts=claim.attempts, wait_seconds=wait_seconds)
        raise TryAgainLater(retry_after_seconds=wait_seconds) from error

    def _fail(self, claim: Claim, code: str, error: AppError) -> None:
        with self.database.transaction() as transaction:
            audio_segments.fail(transaction, claim.segment_id, code, error.message)
        log.warning("segment failed", error_code=code, attempts=claim.attempts, reason=error.message)
        self._finish_if_last(claim.job_id)

    def _fail_job(self, claim: Claim, error: InvalidKey) -> None:
        with self.database.transaction() as transaction:
            job = jobs.lock(transaction, claim.job_id)
            if job is None:
                return
            audio_segments.fail_all(transaction, job.build_id, "invalid_key", error.message)
            jobs.end(transaction, job.id, JobState.FAILED, JobError(code="invalid_key", message=FAILED_MESSAGE))
        log.error("job failed", error_code="invalid_key", reason=error.details.get("reason"))

    def _finish_if_last(self, job_id: UUID) -> None:
        # In a transaction of its own: within the segment's, the last two workers would each still see the other's
        # segment missing, and nobody would finish the job.
        with self.database.transaction() as transaction:
            if audio_segments.is_any_missing(transaction, job_id):
                return
        self.queues.send([finalize_task(job_id)])


def _metadata_of(clip: Clip) -> dict[str, str]:
    """What a later attempt needs to know of an object to take it over."""
    timings = [timing.model_dump() for timing in clip.word_timings] if clip.word_timings else None
    return {
        "duration-ms": str(clip.duration_ms),
        "text-sha256": clip.text_sha256.hex(),
        "word-timings": orjson.dumps(timings).decode(),
    }


def _clip_of(stored: StoredObject) -> Clip:
    timings = orjson.loads(stored.metadata["word-timings"])
    return Clip(
        size_bytes=stored.size_bytes,
        duration_ms=int(stored.metadata["duration-ms"]),
        text_sha256=bytes.fromhex(stored.metadata["text-sha256"]),
        word_timings=[WordTiming.model_validate(timing) for timing in timings] if timings else None,
    )
