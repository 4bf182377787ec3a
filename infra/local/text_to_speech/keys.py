"""What each kind of API key does: the table of keys in README.md."""

import itertools
from collections import defaultdict
from threading import Event, Lock

from infra.local.text_to_speech import faults
from infra.local.text_to_speech.settings import LocalSpeechSettings

UNKNOWN = "unknown"
KINDS = ("AIzaLocal", "AIzaQuota", "AIzaDisabled", "AIzaSlow", "AIzaFlaky")


def kind_of(key: str | None) -> str:
    """The beginning of a key that decides how it behaves, and all of it that may be logged."""
    return next((kind for kind in KINDS if (key or "").startswith(kind)), UNKNOWN)


class KeyGate:
    """Lets a call pass or refuses it, by its key."""

    def __init__(self, settings: LocalSpeechSettings, closing: Event) -> None:
        self._settings = settings
        self._closing = closing
        self._lock = Lock()
        self._calls: dict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))

    def admit(self, key: str | None) -> None:
        """Return if the call may go on, after a while perhaps; raises GoogleFault if not."""
        if not key:
            raise faults.unregistered_caller()
        match kind_of(key):
            case "AIzaLocal":
                return
            case "AIzaSlow":
                self._closing.wait(self._settings.local_tts_slow_seconds)
            case "AIzaFlaky":
                self._fail_now_and_then(key)
            case "AIzaQuota":
                raise faults.quota_exceeded(self._settings.local_tts_retry_seconds)
            case "AIzaDisabled":
                raise faults.service_disabled()
            case _:
                raise faults.invalid_key()

    def _fail_now_and_then(self, key: str) -> None:
        with self._lock:
            call = next(self._calls[key])
        if call % self._settings.local_tts_flaky_every == 0:
            raise faults.unavailable()
