"""The learner's Google key: test it, store it, forget it."""

from dataclasses import dataclass
from uuid import UUID

from shared.auth import User
from shared.clients.text_to_speech import TextToSpeech
from shared.db import tts_credentials
from shared.db.database import Database
from shared.dto.tts_credentials import TtsCredentialsState, TtsCredentialsTested
from shared.errors import SpeechUnavailable
from shared.services.key_ring import KeyRing
from shared.services.speech_input import speech_request

SAMPLED_VOICE = "en-US-Standard-C"


@dataclass(frozen=True)
class TtsCredentials:
    """What a learner does with their key."""

    database: Database
    speech: TextToSpeech
    key_ring: KeyRing

    def state(self, user: User) -> TtsCredentialsState:
        """Whether a key is stored."""
        with self.database.as_user(user, "read") as transaction:
            return tts_credentials.state(transaction)

    def test(self, user: User, google_api_key: str) -> TtsCredentialsTested:
        """Let Google speak one word with this key; raises InvalidKey, QuotaExceeded, SpeechTimeout, RateLimited."""
        with self.database.as_user(user, "test"):
            pass  # the token is spent before Google is asked, and no transaction waits for Google
        self._speak(google_api_key)
        with self.database.as_user(user) as transaction:
            tts_credentials.record_test(transaction, self.key_ring.hmac(google_api_key))
        return TtsCredentialsTested(voice_sampled=SAMPLED_VOICE)

    def put(self, user: User, google_api_key: str) -> TtsCredentialsState:
        """Store a key that was tested; raises ValidationFailed for any other."""
        with self.database.as_user(user, "write") as transaction:
            tts_credentials.store(
                transaction,
                self.key_ring.hmac(google_api_key),
                self.key_ring.encrypt(google_api_key, user.id),
                self.key_ring.fingerprint(google_api_key),
            )
            return tts_credentials.state(transaction)

    def delete(self, user: User) -> None:
        """Forget the key."""
        with self.database.as_user(user, "write") as transaction:
            tts_credentials.delete(transaction)

    def _speak(self, google_api_key: str) -> None:
        request = speech_request("ok", SAMPLED_VOICE)
        try:
            self.speech.synthesize(google_api_key, request)
        except SpeechUnavailable:
            self.speech.synthesize(google_api_key, request)


def decrypted_key(database: Database, key_ring: KeyRing, user: User) -> str | None:
    """The learner's key, encrypted again on the way where it was encrypted with an older ring key."""
    with database.as_user(user, "read") as transaction:
        stored = tts_credentials.encrypted_key(transaction)
        if stored is None:
            return None
        key = key_ring.decrypt(stored, user.id)
        if not key_ring.is_current(stored):
            tts_credentials.replace(transaction, stored, key_ring.encrypt(key, user.id))
        return key


def decrypted_key_of(database: Database, key_ring: KeyRing, user_id: UUID, stored: bytes) -> str:
    """The same for a worker, which has read the encrypted key already."""
    key = key_ring.decrypt(stored, user_id)
    if not key_ring.is_current(stored):
        with database.transaction() as transaction:
            tts_credentials.replace_of(transaction, user_id, stored, key_ring.encrypt(key, user_id))
    return key
