"""How slow and how faulty the local Text-to-Speech is, so that a measurement can fix it."""

from pydantic import Field

from shared.config import Settings


class LocalSpeechSettings(Settings):
    """Read from the environment, as LOCAL_TTS_LATENCY_MS and so on."""

    local_tts_latency_ms: int = Field(default=0, ge=0, description="how long every synthesis takes at least")
    local_tts_slow_seconds: float = Field(default=60, ge=0, description="how long an AIzaSlow key waits")
    local_tts_retry_seconds: float = Field(default=30, ge=0, description="what an AIzaQuota key is told to wait")
    local_tts_flaky_every: int = Field(default=3, ge=1, description="which call of an AIzaFlaky key fails")
