"""Settings in small groups: each function loads just the groups it reads, when it starts.

A value comes from the environment. A secret one that is not there comes, where `SECRETS_PROJECT` names a Google Cloud
project, from the latest version of the secret of the same name, in lower case (`database_url`), in its Secret Manager.
A missing or malformed value stops the start with a message that names it; an empty one counts as missing.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import (
    BaseSettings,
    GoogleSecretManagerSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

if TYPE_CHECKING:
    from google.cloud.secretmanager import SecretManagerServiceClient

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s]*$")]
Origin = Annotated[str, Field(pattern=r"^https?://[\w.-]+(:\d+)?$")]
Secret = Annotated[SecretStr, Field(min_length=16)]


class SettingsError(Exception):
    """A setting is missing or malformed; the message names each one and never shows a value."""


class SecretManagerSource(GoogleSecretManagerSettingsSource):
    """Reads what is secret (a SecretStr) and not in the environment, and nothing else.

    It asks for each secret by its exact name, so a function needs access to its own secrets only, not to the list.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value, None where there is none, and by which name and how it is to be taken."""
        if field.annotation is not SecretStr or field_name in self.current_state:
            return None, field_name, False
        return super().get_field_value(field, field_name)


@cache
def secret_manager() -> "SecretManagerServiceClient":
    """One client for all groups; imported where a secret is read, since the import takes a third of a second."""
    from google.cloud.secretmanager import SecretManagerServiceClient

    return SecretManagerServiceClient()


class Settings(BaseSettings):
    """A group of settings that are read together."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
        str_strip_whitespace=True,
        str_min_length=1,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic-settings' own
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then Secret Manager where there is one and the group has a secret."""
        project = os.environ.get("SECRETS_PROJECT")
        if not project or not any(field.annotation is SecretStr for field in settings_cls.model_fields.values()):
            return init_settings, env_settings
        secrets = SecretManagerSource(settings_cls, project_id=project, secret_client=secret_manager())
        return init_settings, env_settings, secrets


Group = TypeVar("Group", bound=Settings)


@cache
def load(group: type[Group]) -> Group:
    """The settings of one group; raises SettingsError where one is missing or malformed."""
    try:
        return group()
    except ValidationError as error:
        faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        project = os.environ.get("SECRETS_PROJECT")
        hint = (
            f" A secret that this service account may not read in project {project} counts as missing."
            if project
            else ""
        )
        raise SettingsError(
            f"{group.__name__} cannot be read. {faults}.{hint} See the table of settings in README.md."
        ) from None


class DatabaseSettings(Settings):
    """The login role of this function and its pool."""

    database_url: SecretStr
    database_pool_size: int = Field(default=8, ge=1, le=100)
    database_timeout_seconds: float = Field(default=2, gt=0)


class UserAuthSettings(Settings):
    """Who signs the users' access tokens."""

    supabase_url: HttpUrl


class AccountDeletionSettings(Settings):
    """The service key of the Supabase project, with which accounts are deleted at Supabase Auth."""

    supabase_url: HttpUrl
    supabase_service_key: Secret


class AppSettings(Settings):
    """The origins of the web app, separated by commas; every other origin gets no CORS header."""

    app_origins: Annotated[
        tuple[Origin, ...],
        Field(min_length=1),
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
