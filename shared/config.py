"""Settings in small groups: each function loads just the groups it reads, when it starts.

A value comes from the environment or, where `SECRETS_PROJECT` names a Google Cloud project, from the secret of the same
name in its Secret Manager. A missing or malformed value stops the start with a message that names it.
"""

import os
from functools import cache
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import (
    BaseSettings,
    GoogleSecretManagerSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s]*$")]
Secret = Annotated[SecretStr, Field(min_length=16)]


class SettingsError(Exception):
    """A setting is missing or malformed; the message names each one and never shows a value."""


class Settings(BaseSettings):
    """A group of settings that are read together."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic-settings' own
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then Secret Manager where there is one."""
        project = os.environ.get("SECRETS_PROJECT")
        if not project:
            return init_settings, env_settings
        return init_settings, env_settings, GoogleSecretManagerSettingsSource(settings_cls, project_id=project)


Group = TypeVar("Group", bound=Settings)


@cache
def load(group: type[Group]) -> Group:
    """The settings of one group; raises SettingsError where one is missing or malformed."""
    try:
        return group()
    except ValidationError as error:
        faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(
            f"{group.__name__} cannot be read. {faults}. See the table of settings in README.md."
        ) from None


class DatabaseSettings(Settings):
    """The login role of this function and its pool."""

    database_url: SecretStr
    database_pool_size: int = Field(default=8, ge=1, le=100)
    database_timeout_seconds: float = Field(default=2, gt=0)


class UserAuthSettings(Settings):
    """Who signs the users' access tokens."""

    supabase_url: HttpUrl


class AppSettings(Settings):
    """The origins of the web app, separated by commas; every other origin gets no CORS header."""

    app_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(lambda text: [part.strip() for part in text.split(",") if part.strip()]),
    ]


class RateLimitSettings(Settings):
    """Requests per minute and user; a burst is what may come at once."""

    rate_generate_per_minute: int = Field(default=3, ge=1)
    rate_generate_burst: int = Field(default=5, ge=1)
    rate_write_per_minute: int = Field(default=60, ge=1)
    rate_read_per_minute: int = Field(default=300, ge=1)


class CursorSettings(Settings):
    """What signs the cursors of listings."""

    cursor_secret: Secret


class KeyRingSettings(Settings):
    """What encrypts the learners' Google keys.

    `key_ring` is `id:base64 of 32 bytes` pairs separated by commas; the first encrypts, all decrypt.
    """

    key_ring: Secret
    key_fingerprint_secret: Secret


class SpeechSettings(Settings):
    """Google Text-to-Speech."""

    tts_endpoint: str = "texttospeech.googleapis.com"
    tts_timeout_seconds: float = Field(default=20, gt=0)


class WorkerAuthSettings(Settings):
    """Whose calls the workers accept.

    `workers_url` may hold `{worker}`, which stands for the worker's name; the result is the audience of its tokens.
    """

    workers_url: HttpUrl
    tasks_service_account: str
    tasks_jwks_url: HttpUrl = "https://www.googleapis.com/oauth2/v3/certs"


class TaskQueueSettings(Settings):
    """Where tasks are created, and as whom and where they are delivered."""

    tasks_endpoint: HttpUrl = "https://cloudtasks.googleapis.com"
    tasks_location: Annotated[str, Field(pattern=r"^projects/[^/]+/locations/[^/]+$")]
    tasks_service_account: str
    workers_url: HttpUrl


class StorageSettings(Settings):
    """The bucket of the MP3s; google-cloud-storage itself reads `STORAGE_EMULATOR_HOST`."""

    audio_bucket: str


class UrlSigningSettings(Settings):
    """The HMAC key of a service account that may read the bucket, and how long its URLs live.

    A URL is valid for two windows from the start of the window it was signed in: between one and two windows. Garbage
    waits for 11 minutes, so a window cannot be longer than 5.
    """

    audio_bucket: str
    storage_url: HttpUrl = "https://storage.googleapis.com"
    signer_access_id: str
    signer_secret: Secret
    signing_window_seconds: int = Field(default=300, ge=1, le=300)


class SynthesisSettings(Settings):
    """How one segment is made."""

    lease_seconds: int = Field(default=60, ge=1)
    synthesis_attempts: int = Field(default=5, ge=1)


class SweepSettings(Settings):
    """When work counts as lost and is sent again."""

    stall_seconds: int = Field(default=90, ge=1)
