"""A learner as tests play one: over HTTP, with a token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import requests

VOICES = {
    "EN1": "en-US-Standard-C",
    "EN2": "en-GB-Neural2-D",
    "EN3": "en-US-Neural2-D",
    "PL": "pl-PL-Standard-A",
}
KEY = "AIzaLocalKeyOfATest"
TIMEOUT_SECONDS = 30
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
ONE_TIME_HEADERS = ("x-request-id", "date")


@dataclass
class Learner:
    """Someone who is signed in, or holds whatever token a test gives them; with an empty one they send none."""

    app: str
    id: UUID
    token: str

    def call(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """The response to one request below /api, whatever it is."""
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(
            method,
            f"{self.app}/api{path}",
            json=json,
            headers={**authorization, **(headers or {})},
            timeout=TIMEOUT_SECONDS,
        )

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self.expect(200, self.call("GET", path))

    def import_notebook(self, lines: Sequence[str] = ("Hello. ::: Cześć.",), name: str = "Notebook") -> str:
        """The id of a new notebook."""
        answer = self.expect(201, self.call("POST", "/notebooks:import", {"name": name, "lines": list(lines)}))
        notebook_id: str = answer["notebook"]["id"]
        return notebook_id

    def store_key(self, key: str = KEY) -> None:
        """Test a key and store it."""
        self.expect(200, self.call("POST", "/tts-credentials:test", {"google_api_key": key}))
        self.expect(200, self.call("PUT", "/tts-credentials", {"google_api_key": key}))

    def choose_voices(self, **voices: str) -> None:
        """Choose a voice for every slot."""
        for slot, voice_id in {**VOICES, **voices}.items():
            body = {"language": voice_id[:2], "voice_id": voice_id}
            self.expect(200, self.call("PUT", f"/user-voices/{slot}", body))

    def prepare(self, lines: Sequence[str] = ("Hello. ::: Cześć.",), name: str = "Notebook") -> str:
        """Store a key, choose voices and import a notebook; returns its id."""
        self.store_key()
        self.choose_voices()
        return self.import_notebook(lines, name)

    def generate(self, notebook_id: str) -> dict[str, Any]:
        """Start a job."""
        job: dict[str, Any] = self.expect(202, self.call("POST", f"/notebooks/{notebook_id}/jobs:generate-rebuild"))[
            "job"
        ]
        return job

    def manifest(self, notebook_id: str) -> Any:
        """What to play."""
        return self.get(f"/notebooks/{notebook_id}/playback-manifest")

    @staticmethod
    def expect(status: int, response: requests.Response) -> Any:
        """The JSON of a response that must have this status."""
        assert response.status_code == status, response.text
        return response.json() if response.content else None


def error_code(response: requests.Response) -> str:
    """The code of a refusal."""
    code: str = response.json()["error"]["code"]
    return code


def refused(response: requests.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return response.status_code, error_code(response)


def invalid_fields(response: requests.Response) -> list[str]:
    """The paths of the fields that a validation error names."""
    assert refused(response) == (400, "validation_error"), response.text
    return [field["path"] for field in response.json()["error"]["details"]["fields"]]


def seen(response: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can tell one answer from another by, but for what tells every two apart."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return response.status_code, response.content, {k: v for k, v in headers.items() if k not in ONE_TIME_HEADERS}
