"""A learner who has something to listen to."""

from dataclasses import dataclass
from typing import Any

from tests.learner import Learner
from tests.system import System

LINES = ("One. ::: Raz.", "Two. ::: Dwa.", "Three. ::: Trzy.")
UNKNOWN_VOICE = "en-US-Standard-Nobody"
SLOTS = ("EN1", "EN2", "EN3", "PL")


@dataclass(frozen=True)
class Listener:
    """A learner with two notebooks of three phrases each that can be played.

    `notebook_id` was generated twice; its phrases stand in the reverse order of their import. Of `patchy_notebook_id`
    all segments in EN2 failed, and a fourth phrase was added after the build.
    """

    learner: Learner
    notebook_id: str
    jobs: list[dict[str, Any]]
    patchy_notebook_id: str

    def build_ids(self) -> list[str]:
        """The builds of the two jobs of `notebook_id`, the newest first; that one is active."""
        builds = self.learner.get(f"/notebooks/{self.notebook_id}/builds")["items"]
        return [build["id"] for build in builds]

    def phrase_ids(self, notebook_id: str) -> list[str]:
        """The phrases of a notebook by position."""
        return [phrase["id"] for phrase in self.learner.get(f"/notebooks/{notebook_id}/phrases")["items"]]


def make_listener(system: System) -> Listener:
    """A new learner, listening."""
    learner = system.learner()
    notebook_id = learner.prepare(LINES, name="Whole")
    system.database.execute("update public.phrases set position = 40 - position where notebook_id = %s", [notebook_id])
    jobs = [system.wait(learner, learner.generate(notebook_id)) for _ in range(2)]
    learner.choose_voices(EN2=UNKNOWN_VOICE)
    patchy_notebook_id = learner.import_notebook(LINES, name="Patchy")
    patchy_job = system.wait(learner, learner.generate(patchy_notebook_id))
    system.database.execute(
        """
        insert into public.phrases (user_id, notebook_id, position, en_text, pl_text)
        values (%s, %s, 40, 'Late.', 'Późno.')
        """,
        [learner.id, patchy_notebook_id],
    )
    assert [job["progress"]["complete"] for job in (*jobs, patchy_job)] == [12, 12, 9]
    return Listener(learner, notebook_id, jobs, patchy_notebook_id)
