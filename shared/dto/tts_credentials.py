"""The learner's Google Text-to-Speech key: its state, never the key."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from shared.dto.schema import STORABLE, Input, Output, UtcDatetime, storable


def _storable(key: SecretStr) -> SecretStr:
    storable(key.get_secret_value())
    return key


GoogleApiKey = Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(_storable), STORABLE]


class TtsCredentialsState(Output):
    """Whether a key is stored, when it was tested, and by what to recognise it."""

    is_configured: bool
    last_validated_at: UtcDatetime | None
    key_fingerprint: str | None


class TtsCredentialsTestRequest(Input):
    """A key to be tested."""

    google_api_key: GoogleApiKey


class TtsCredentialsPutRequest(Input):
    """A key to be stored; it must have been tested within the last 15 minutes."""

    google_api_key: GoogleApiKey


class TtsCredentialsTested(Output):
    """The key works; with which voice it was tried."""

    ok: Literal[True] = True
    voice_sampled: str
