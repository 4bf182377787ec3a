"""Names of tasks: by them Cloud Tasks refuses what it has seen, so they must tell tasks apart, and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.clients.task_queues import task_name
from shared.dto.tasks import Task, Worker
from tests.properties.texts import TEXTS

WORDS = st.sampled_from(["", "job_id", "segment_id", "a", '"', ",", "[]", "fan-out"]) | TEXTS
TASKS = st.builds(
    Task, st.sampled_from(Worker), st.dictionaries(WORDS, WORDS, max_size=3), WORDS, st.none() | st.datetimes()
)


@given(TASKS)
def test_a_name_is_one_that_cloud_tasks_takes(task: Task) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", task_name(task))


@given(TASKS, TASKS)
def test_two_tasks_have_one_name_if_they_are_the_same(task: Task, other: Task) -> None:
    assert (task_name(task) == task_name(other)) == (task == other)


@given(TASKS)
def test_the_order_of_a_body_and_the_time_do_not_matter(task: Task) -> None:
    again = Task(task.worker, dict(reversed(task.body.items())), task.nonce)
    assert task_name(again) == task_name(task)
