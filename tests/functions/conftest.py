"""Learners, and queues that a test holds to keep a job where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import grpc
import pytest
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from infra.local.stack import TASKS_LOCATION
from tests.functions.listener import Listener, make_listener
from tests.learner import Learner
from tests.system import System


@pytest.fixture
def learner(system: System) -> Learner:
    """A learner to whom nothing belongs yet."""
    return system.learner()


@pytest.fixture
def stranger(system: System) -> Learner:
    """Another learner."""
    return system.learner()


@pytest.fixture
def anonymous(system: System) -> Learner:
    """Someone without a token."""
    return Learner(system.app, UUID(int=0), "")


@pytest.fixture(scope="session")
def listener(system: System) -> Listener:
    """Shared by the tests that only read."""
    return make_listener(system)


@pytest.fixture(scope="session")
def cloud_tasks(system: System) -> Iterator[CloudTasksClient]:
    """The official client of the system's Cloud Tasks server."""
    with grpc.insecure_channel(system.stack.addresses.tasks.rpartition("://")[2]) as channel:
        yield CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


@pytest.fixture
def jobs_stay_queued(cloud_tasks: CloudTasksClient) -> Iterator[None]:
    """While the test runs, no job goes from queued to running."""
    with held(cloud_tasks, "fan-out"):
        yield


@pytest.fixture
def jobs_stay_running(cloud_tasks: CloudTasksClient) -> Iterator[None]:
    """While the test runs, no segment is made."""
    with held(cloud_tasks, "synthesize"):
        yield


@contextmanager
def held(cloud_tasks: CloudTasksClient, queue: str) -> Iterator[None]:
    """Let a queue take tasks and deliver none."""
    name = f"{TASKS_LOCATION}/queues/{queue}"
    cloud_tasks.pause_queue(name=name)
    try:
        yield
    finally:
        cloud_tasks.resume_queue(name=name)
