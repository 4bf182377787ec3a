"""The whole system on one machine: which parts there are, and what each is told."""

import base64
import json
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.local.auth import service_key
from infra.local.part import Part
from infra.local.postgres import PostgresServer
from infra.local.supabase import Project, open_project
from shared.dto.tasks import Worker

BUCKET = "audio-loop"
TASKS_LOCATION = "projects/audio-loop/locations/local"
TASKS_SERVICE_ACCOUNT = "tasks@audio-loop.iam.gserviceaccount.com"
SIGNER_ACCESS_ID = "GOOGLOCALSIGNER"
DEFAULT_USER_ID = "11111111-1111-4111-8111-111111111111"

# Two cores: more deliveries at once would only wait for each other.
CONCURRENT_DELIVERIES = 8
# A crash is noticed sooner than in the cloud, since whoever started the system is waiting for it.
RECOVERY = {"LEASE_SECONDS": "30", "STALL_SECONDS": "5"}


@dataclass(frozen=True)
class Addresses:
    """Where the parts answer."""

    app: str
    workers: str
    storage: str
    tasks: str
    tasks_jwks: str
    tts: str


class Stack:
    """Starts every part below `home`, where their data stay, and stops them all; use it in a `with` block.

    `settings` go to the functions and the servers, over what the stack itself tells them. With `database_admin_url`,
    the database is on that PostgreSQL server instead of the embedded one; with `tts_endpoint`, Google itself speaks.
    """

    addresses: Addresses
    project: Project

    def __init__(
        self,
        home: Path,
        port: int,
        *,
        tts_endpoint: str | None = None,
        database_admin_url: str | None = None,
        database: str = "audio_loop",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._home, self._port, self._tts_endpoint = home, port, tts_endpoint
        self._database_admin_url, self._database, self._given = database_admin_url, database, dict(settings or {})
        self._parts: list[Part] = []
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def stopped_part(self) -> str | None:
        """The name of a part that has ended on its own, if one has."""
        return next((part.name for part in self._parts if not part.is_running()), None)

    def pids(self) -> dict[str, int]:
        """The process id of each part."""
        return {part.name: part.pid for part in self._parts}

    def _start(self) -> None:
        (self._home / "logs").mkdir(parents=True, exist_ok=True)
        keys = _keys(self._home / "secrets.json")
        tasks = self._part("infra.local.cloud_tasks", _queue_arguments())
        storage = self._part("infra.local.storage", self._storage_arguments(), LOCAL_STORAGE_HMAC_SECRET=keys["signer"])
        tts = None if self._tts_endpoint else self._part("infra.local.text_to_speech", [])
        self.project = open_project(self._database_admin_url or self._embedded_database(), self._database)
        tasks_at = tasks.wait_until_ready()
        self.addresses = Addresses(
            app=f"http://127.0.0.1:{self._port}",
            workers=f"http://127.0.0.1:{free_port()}",
            storage=storage.wait_until_ready()["url"],
            tasks=f"http://{tasks_at['address']}",
            tasks_jwks=tasks_at["jwks_url"],
            tts=tts.wait_until_ready()["endpoint"] if tts else str(self._tts_endpoint),
        )
        settings = self._settings(keys)
        workers = self._part(
            "infra.local.workers",
            ["--port", self.addresses.workers.rpartition(":")[2]],
            **settings,
            **RECOVERY,
            DATABASE_URL=self.project.worker_url,
        )
        auth_keys = self._home / "auth"
        gateway = self._part(
            "infra.local.gateway",
            ["--port", str(self._port)],
            **settings,
            DATABASE_URL=self.project.api_url,
            LOCAL_AUTH_DATABASE_URL=self.project.auth_url,
            LOCAL_AUTH_KEYS=str(auth_keys),
            SUPABASE_SERVICE_KEY=service_key(auth_keys, self.addresses.app),
            DEFAULT_USER_ID=DEFAULT_USER_ID,
        )
        workers.wait_until_ready()
        gateway.wait_until_ready()
        _write_private(self._home / "addresses.json", json.dumps(vars(self.addresses), indent=2))

    def _embedded_database(self) -> str:
        return self._undo.enter_context(PostgresServer(self._home / "postgres")).admin_url

    def _part(self, module: str, arguments: list[str], **environment: str) -> Part:
        log = self._home / "logs" / f"{module.rpartition('.')[2]}.log"
        part = Part(module, arguments, {**environment, **self._given}, log)
        self._undo.callback(part.stop)
        self._parts.append(part)
        return part

    def _storage_arguments(self) -> list[str]:
        root = str(self._home / "storage")
        return ["--root", root, "--bucket", BUCKET, "--hmac-key", SIGNER_ACCESS_ID, "--cors", *_origins(self._port)]

    def _settings(self, keys: Mapping[str, str]) -> dict[str, str]:
        """What the functions are told; Terraform tells them the same in the cloud."""
        return {
            "SUPABASE_URL": self.addresses.app,
            "APP_ORIGINS": ",".join(_origins(self._port)),
            "CURSOR_SECRET": keys["cursor"],
            "KEY_RING": keys["key_ring"],
            "KEY_FINGERPRINT_SECRET": keys["fingerprint"],
            "TTS_ENDPOINT": self.addresses.tts,
            "TASKS_ENDPOINT": self.addresses.tasks,
            "TASKS_LOCATION": TASKS_LOCATION,
            "TASKS_SERVICE_ACCOUNT": TASKS_SERVICE_ACCOUNT,
            "TASKS_JWKS_URL": self.addresses.tasks_jwks,
            "WORKERS_URL": self.addresses.workers,
            "STORAGE_EMULATOR_HOST": self.addresses.storage,
            "STORAGE_URL": self.addresses.storage,
            "AUDIO_BUCKET": BUCKET,
            "SIGNER_ACCESS_ID": SIGNER_ACCESS_ID,
            "SIGNER_SECRET": keys["signer"],
        }


def _queue_arguments() -> list[str]:
    arguments = []
    for name in [*Worker, "sweep"]:
        queue = {
            "name": f"{TASKS_LOCATION}/queues/{name}",
            "rateLimits": {"maxConcurrentDispatches": CONCURRENT_DELIVERIES},
            "retryConfig": {"maxAttempts": 20, "minBackoff": "0.5s", "maxBackoff": "30s", "maxDoublings": 5},
        }
        arguments += ["--queue", json.dumps(queue)]
    return arguments


def _keys(path: Path) -> dict[str, str]:
    """The secrets of this machine, made when they are first needed."""
    if not path.exists():
        keys = {name: secrets.token_urlsafe(32) for name in ("cursor", "fingerprint", "signer")}
        keys["key_ring"] = "local:" + base64.b64encode(secrets.token_bytes(32)).decode()
        _write_private(path, json.dumps(keys))
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def _origins(port: int) -> list[str]:
    return [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    os.replace(unfinished, path)  # noqa: PTH105  as atomic as Path.replace, and says what it is
