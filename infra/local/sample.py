"""The sample notebook and its audio, made through the API as a learner would make them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

NAMES = {"local": "Everyday English", "google": "Everyday English (Google)"}
LINES = Path(__file__).with_name("everyday-english.txt")
VOICES = {
    "EN1": "en-US-Standard-C",
    "EN2": "en-GB-Neural2-D",
    "EN3": "en-US-Chirp3-HD-Charon",
    "PL": "pl-PL-Standard-A",
}
LOCAL_KEY = "AIzaLocalSampleKey"
POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 90


class SampleFailed(Exception):
    """The sample could not be made; the message says why."""


@dataclass
class Learner:
    """The DEV user, over HTTP."""

    app: str
    session: requests.Session = field(default_factory=requests.Session)
    token_until: float = 0.0

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON answer; waits where the rate limit says so, raises SampleFailed for any other refusal."""
        while True:
            response = self.session.request(
                method,
                f"{self.app}/api{path}",
                json=body,
                headers={"Authorization": f"Bearer {self._token()}"},
                timeout=TIMEOUT_SECONDS,
            )
            if response.status_code == 429:
                time.sleep(float(response.headers["Retry-After"]))
                continue
            if not response.ok:
                raise SampleFailed(f"{method} {path} was refused: {response.json()['error']['message']}")
            answer: dict[str, Any] = response.json() if response.content else {}
            return answer

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """All items of a listing."""
        cursor = ""
        while True:
            page = self.call("GET", f"{path}?limit=100{cursor}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def _token(self) -> str:
        if time.monotonic() > self.token_until:
            token = self.session.get(f"{self.app}/api/dev/jwt", timeout=TIMEOUT_SECONDS).json()["token"]
            self.session.headers["X-Dev-Token"] = token
            self.token_until = time.monotonic() + 240
        return str(self.session.headers["X-Dev-Token"])


@dataclass(frozen=True)
class Sample:
    """The notebook, and what its manifest holds."""

    notebook_id: str
    name: str
    phrases: int
    clips: int
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every phrase of the sample has all four clips."""
        expected = len(LINES.read_text().splitlines())
        return self.phrases == expected and self.clips == 4 * expected


def make_sample(learner: Learner, name: str, key: str, show: Callable[[dict[str, Any]], None]) -> Sample:
    """The sample notebook with its audio, made as far as it is missing; `show` is told the job as it goes on."""
    notebook = _notebook(learner, name)
    _configure(learner, key)
    began = time.monotonic()
    job = _job_under_way(learner, notebook)
    if job is None and notebook["current_build_id"] is None:
        job = learner.call("POST", f"/notebooks/{notebook['id']}/jobs:generate-rebuild", {})["job"]
    if job:
        _follow(learner, job, show)
    sequence = learner.call("GET", f"/notebooks/{notebook['id']}/playback-manifest")["sequence"]
    clips = sum(len(item["segments"]) for item in sequence)
    return Sample(notebook["id"], name, len(sequence), clips, time.monotonic() - began)


def _notebook(learner: Learner, name: str) -> dict[str, Any]:
    for notebook in learner.items("/notebooks"):
        if notebook["name"] == name:
            return notebook
    lines = LINES.read_text(encoding="utf-8").splitlines()
    imported: dict[str, Any] = learner.call("POST", "/notebooks:import", {"name": name, "lines": lines})["notebook"]
    return imported


def _job_under_way(learner: Learner, notebook: dict[str, Any]) -> dict[str, Any] | None:
    if notebook["last_generate_job_id"] is None:
        return None
    job = learner.call("GET", f"/jobs/{notebook['last_generate_job_id']}")
    return job if job["ended_at"] is None else None


def _configure(learner: Learner, key: str) -> None:
    learner.call("POST", "/tts-credentials:test", {"google_api_key": key})
    learner.call("PUT", "/tts-credentials", {"google_api_key": key})
    chosen = {voice["slot"] for voice in learner.call("GET", "/user-voices")["slots"]}
    for slot, voice_id in VOICES.items():
        if slot not in chosen:
            language = voice_id.partition("-")[0]
            learner.call("PUT", f"/user-voices/{slot}", {"language": language, "voice_id": voice_id})


def _follow(learner: Learner, job: dict[str, Any], show: Callable[[dict[str, Any]], None]) -> None:
    while job["ended_at"] is None:
        show(job)
        time.sleep(POLL_SECONDS)
        job = learner.call("GET", f"/jobs/{job['id']}")
    show(job)
    if job["state"] != "succeeded":
        error = job["error"] or {"code": job["state"], "message": ""}
        raise SampleFailed(f"The job ended as {job['state']} ({error['code']}). {error['message']}")
