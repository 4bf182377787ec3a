"""Voices: what Google offers, and what the learner chose."""

import time
from dataclasses import dataclass, field
from threading import Lock

from shared.auth import User
from shared.clients.text_to_speech import TextToSpeech
from shared.db import user_voices
from shared.db.database import Database
from shared.dto.speech import Voice
from shared.dto.voices import (
    Language,
    UserVoicePutRequest,
    UserVoices,
    UserVoiceSlot,
    VoiceCatalogue,
    VoicePreviewRequest,
    VoiceSlot,
)
from shared.errors import ValidationFailed
from shared.services.key_ring import KeyRing
from shared.services.mp3 import encode
from shared.services.speech_input import speech_request
from shared.services.tts_credentials import decrypted_key

GREETINGS = {"en": "Hello! This is how I sound.", "pl": "Dzień dobry! Tak brzmi mój głos."}
CACHE_SECONDS = 3600
CACHE_ENTRIES = 1000


@dataclass
class CatalogueCache:
    """What Google offered to a key within the last hour, by the key's HMAC."""

    entries: dict[bytes, tuple[float, list[Voice]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def get(self, key_hmac: bytes) -> list[Voice] | None:
        """The voices, unless they are unknown or an hour old."""
        with self.lock:
            cached_at, voices = self.entries.get(key_hmac, (0.0, None))
        return voices if voices is not None and time.monotonic() - cached_at < CACHE_SECONDS else None

    def put(self, key_hmac: bytes, voices: list[Voice]) -> None:
        """Remember the voices; the oldest entry makes room."""
        with self.lock:
            self.entries.pop(key_hmac, None)
            while len(self.entries) >= CACHE_ENTRIES:
                del self.entries[next(iter(self.entries))]
            self.entries[key_hmac] = (time.monotonic(), voices)


@dataclass(frozen=True)
class Voices:
    """What a learner does with voices."""

    database: Database
    speech: TextToSpeech
    key_ring: KeyRing
    cache: CatalogueCache = field(default_factory=CatalogueCache)

    def catalogue(self, user: User, language: Language | None) -> VoiceCatalogue:
        """English and Polish voices that Google offers to the learner's key.

        Raises ValidationFailed where no key is stored, and what Google answers to the key.
        """
        key = self._key(user)
        languages = [language] if language else ["en", "pl"]
        voices = [voice for voice in self._offered(key) if voice.language_code.split("-")[0] in languages]
        return VoiceCatalogue(items=voices)

    def preview(self, user: User, request: VoicePreviewRequest) -> bytes:
        """An MP3 of a voice that says the text, or greets in its own language.

        Raises ValidationFailed where no key is stored, RateLimited, and what Google answers.
        """
        with self.database.as_user(user, "preview"):
            pass  # the token is spent before Google is asked, and no transaction waits for Google
        key = self._key(user)
        text = request.text or GREETINGS.get(request.voice_id.split("-")[0], GREETINGS["en"])
        return encode(self.speech.synthesize(key, speech_request(text, request.voice_id))).data

    def chosen(self, user: User) -> UserVoices:
        """The slots that have a voice."""
        with self.database.as_user(user, "read") as transaction:
            return UserVoices(slots=user_voices.listing(transaction))

    def choose(self, user: User, slot: VoiceSlot, request: UserVoicePutRequest) -> UserVoiceSlot:
        """Let a voice speak in a slot; raises ValidationFailed and VoiceConflict."""
        if request.language != slot.language:
            raise ValidationFailed.of("body.language", f"The slot {slot} takes '{slot.language}'.")
        with self.database.as_user(user, "write") as transaction:
            return user_voices.put(transaction, slot, request.language, request.voice_id)

    def _key(self, user: User) -> str:
        key = decrypted_key(self.database, self.key_ring, user)
        if key is None:
            raise ValidationFailed("Save a Google Text-to-Speech key in the settings first.")
        return key

    def _offered(self, google_api_key: str) -> list[Voice]:
        key_hmac = self.key_ring.hmac(google_api_key)
        voices = self.cache.get(key_hmac)
        if voices is None:
            voices = self.speech.voices(google_api_key, None)
            self.cache.put(key_hmac, voices)
        return voices
