"""What a learner hears while their notebook is made anew, and who else could hear it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.learner import Learner
from tests.system import System

LINES = [f"Phrase number {number}. ::: Zdanie numer {number}." for number in range(1, 21)]


@pytest.fixture(scope="module")
def learner(system: System) -> Learner:
    return system.learner()


@pytest.fixture(scope="module")
def notebook_id(system: System, learner: Learner) -> str:
    """A notebook with audio."""
    notebook_id = learner.prepare(LINES)
    assert system.wait(learner, learner.generate(notebook_id))["state"] == "succeeded"
    return notebook_id


def test_every_url_of_the_manifest_plays_without_a_header(learner: Learner, notebook_id: str) -> None:
    urls = _urls(learner.manifest(notebook_id))
    assert len(urls) == 80
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(_status, urls)) == {200}


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("/EN1.mp3", "/EN2.mp3"),
        lambda url: url.replace("X-Goog-Expires=", "X-Goog-Expires=1"),
        lambda url: url.partition("?")[0],
    ],
    ids=["a character of the signature", "the object", "the expiry", "no signature"],
)
def test_a_changed_url_is_refused(learner: Learner, notebook_id: str, change: Any) -> None:
    url = _urls(learner.manifest(notebook_id))[0]
    assert _status(url) == 200
    assert _status(change(url)) == 403


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_a_url_is_good_for_get_only(learner: Learner, notebook_id: str, method: str) -> None:
    url = _urls(learner.manifest(notebook_id))[0]
    assert requests.request(method, url, timeout=10).status_code in (403, 405)
    assert _status(url) == 200


def test_the_browser_may_read_the_audio_from_the_app_only(learner: Learner, notebook_id: str, system: System) -> None:
    url = _urls(learner.manifest(notebook_id))[0]
    ours = requests.get(url, headers={"Origin": system.app}, timeout=10)
    assert ours.headers["Access-Control-Allow-Origin"] == system.app
    other = requests.get(url, headers={"Origin": "https://elsewhere.example"}, timeout=10)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_during_a_rebuild_and_after_it_the_old_urls_play_on(learner: Learner, notebook_id: str) -> None:
    old = learner.manifest(notebook_id)
    job = learner.generate(notebook_id)
    heard: list[int] = []
    while learner.get(f"/jobs/{job['id']}")["ended_at"] is None:
        heard.append(_status(_urls(old)[len(heard) % 80]))
        time.sleep(0.2)
    assert set(heard) == {200}
    new = learner.manifest(notebook_id)
    assert new["build_id"] != old["build_id"]
    assert {urlsplit(url).path for url in _urls(new)}.isdisjoint(urlsplit(url).path for url in _urls(old))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(_status, [*_urls(old), *_urls(new)])) == {200}


def test_the_same_manifest_within_a_window_is_not_sent_twice(learner: Learner, notebook_id: str) -> None:
    path = f"/notebooks/{notebook_id}/playback-manifest"
    for _ in range(2):  # the window may end between two requests, but hardly twice
        first = learner.call("GET", path)
        second = learner.call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        if second.status_code == 304:
            break
    assert (second.status_code, second.content) == (304, b"")


def _urls(manifest: dict[str, Any]) -> list[str]:
    return [clip["url"] for item in manifest["sequence"] for clip in item["segments"]]


def _status(url: str) -> int:
    return requests.get(url, timeout=10).status_code
