"""The Cloud Tasks server, judged by the official client and by a worker that keeps what it was sent."""

import threading
import time
from collections.abc import Iterator

import jwt
import pytest
from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud.tasks_v2 import GetTaskRequest, HttpRequest, ListTasksRequest, OidcToken, Queue, Task

from infra.local.cloud_tasks.times import timestamp
from tests.local.cloud_tasks import PARENT, QUEUE, Call, Clock, FakeWorker, Tasks, serving, wait_for, working


@pytest.fixture
def worker() -> Iterator[FakeWorker]:
    with working() as worker:
        yield worker


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tasks(worker: FakeWorker, clock: Clock) -> Iterator[Tasks]:
    with serving(worker, now=clock) as tasks:
        yield tasks


class TestQueues:
    def test_a_queue_is_made_listed_got_and_deleted(self, tasks: Tasks) -> None:
        name = f"{PARENT}/queues/other"
        tasks.client.create_queue(parent=PARENT, queue=Queue(name=name))
        assert {queue.name for queue in tasks.client.list_queues(parent=PARENT)} == {QUEUE, name}
        assert tasks.client.get_queue(name=name).rate_limits.max_concurrent_dispatches == 1000
        tasks.client.delete_queue(name=name)
        with pytest.raises(NotFound, match="Queue does not exist"):
            tasks.client.get_queue(name=name)

    def test_a_second_queue_of_one_name_is_refused(self, tasks: Tasks) -> None:
        with pytest.raises(AlreadyExists):
            tasks.client.create_queue(parent=PARENT, queue=Queue(name=QUEUE))

    def test_a_paused_queue_delivers_when_it_is_resumed(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create()
        time.sleep(0.1)
        assert tasks.worker.calls == []
        tasks.client.resume_queue(name=QUEUE)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_a_purged_queue_has_no_tasks(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create()
        tasks.client.purge_queue(name=QUEUE)
        assert list(tasks.client.list_tasks(parent=QUEUE)) == []


class TestNames:
    def test_a_name_is_taken_while_its_task_waits(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        tasks.create(name="one")
        with pytest.raises(AlreadyExists, match="Requested entity already exists"):
            tasks.create(name="one")

    def test_a_name_stays_taken_for_an_hour_after_its_task_ended(self, tasks: Tasks, clock: Clock) -> None:
        tasks.create(name="one")
        tasks.settle()
        with pytest.raises(AlreadyExists, match=r"a task with this name existed too recently\."):
            tasks.create(name="one")
        with pytest.raises(NotFound, match=r"existed recently\. The task either successfully completed or was deleted"):
            tasks.client.get_task(name=f"{QUEUE}/tasks/one")
        clock.ahead = 3601
        tasks.create(name="one")
        tasks.settle()
        assert len(tasks.worker.calls) == 2

    def test_a_deleted_task_is_not_delivered_and_its_name_stays_taken(self, tasks: Tasks) -> None:
        tasks.client.pause_queue(name=QUEUE)
        task = tasks.create(name="one")
        tasks.client.delete_task(name=task.name)
        tasks.client.resume_queue(name=QUEUE)
        with pytest.raises(AlreadyExists):
            tasks.create(name="one")
        tasks.settle()
        assert tasks.worker.calls == []

    def test_the_end_of_a_deleted_task_is_not_that_of_its_successor(self, worker: FakeWorker) -> None:
        is_over = threading.Event()
        worker.answer = lambda _: (204 if is_over.wait(10) else 500, {})
        with serving(worker, tombstone_seconds=0) as tasks:
            task = tasks.create(name="one")
            wait_for(lambda: bool(worker.calls))
            tasks.client.pause_queue(name=QUEUE)
            tasks.client.delete_task(name=task.name)
            tasks.create(name="one", schedule_time=timestamp(time.time() + 3600))
            is_over.set()
            tasks.settle()
            assert [left.name for left in tasks.client.list_tasks(parent=QUEUE)] == [task.name]

    def test_a_task_without_a_name_gets_one(self, tasks: Tasks) -> None:
        assert tasks.create().name.startswith(f"{QUEUE}/tasks/")


class TestViews:
    @pytest.fixture
    def task(self, tasks: Tasks) -> Task:
        """One that waits."""
        tasks.client.pause_queue(name=QUEUE)
        return tasks.create(b"payload")

    def test_the_body_is_only_shown_to_who_asks_for_it(self, tasks: Tasks, task: Task) -> None:
        full = tasks.client.get_task(GetTaskRequest(name=task.name, response_view=Task.View.FULL))
        basic = tasks.client.get_task(name=task.name)
        assert (full.view, full.http_request.body) == (Task.View.FULL, b"payload")
        assert (basic.view, basic.http_request.body) == (Task.View.BASIC, b"")

    def test_a_new_task_is_shown_in_the_view_asked_for(self, tasks: Tasks) -> None:
        assert tasks.create(b"payload").http_request.body == b""
        assert tasks.create(b"payload", view=Task.View.FULL).http_request.body == b"payload"

    def test_a_list_is_shown_in_the_view_asked_for(self, tasks: Tasks, task: Task) -> None:
        full = tasks.client.list_tasks(ListTasksRequest(parent=QUEUE, response_view=Task.View.FULL))
        assert [(listed.name, listed.http_request.body) for listed in full] == [(task.name, b"payload")]
        assert [listed.http_request.body for listed in tasks.client.list_tasks(parent=QUEUE)] == [b""]

    def test_what_only_the_service_knows_cannot_be_set(self, tasks: Tasks) -> None:
        assert tasks.create(dispatch_count=7, response_count=7).dispatch_count == 0


class TestDelivery:
    def test_the_worker_gets_body_headers_and_the_headers_of_cloud_tasks(self, tasks: Tasks) -> None:
        headers = {"Content-Type": "application/json", "X-CloudTasks-QueueName": "forged", "User-Agent": "forged"}
        request = HttpRequest(url=f"{tasks.worker.url}/work?a=b", body=b'{"x": 1}', headers=headers)
        tasks.create(name="one", http_request=request)
        tasks.settle()
        call = tasks.worker.calls[0]
        assert (call.path, call.body) == ("/work?a=b", b'{"x": 1}')
        sent = {name: call.headers[name] for name in ("Content-Type", "User-Agent")}
        assert sent == {"Content-Type": "application/json", "User-Agent": "Google-Cloud-Tasks"}
        assert call.headers["X-CloudTasks-QueueName"] == "q"
        assert call.headers["X-CloudTasks-TaskName"] == "one"
        assert call.headers["X-CloudTasks-TaskRetryCount"] == "0"
        assert call.headers["X-CloudTasks-TaskExecutionCount"] == "0"
        assert float(call.headers["X-CloudTasks-TaskETA"]) == pytest.approx(time.time(), abs=5)

    def test_the_token_is_signed_for_the_service_account_and_audience(self, tasks: Tasks) -> None:
        token = OidcToken(service_account_email="tasks@p.iam", audience="https://worker")
        tasks.create(http_request=HttpRequest(url=tasks.worker.url, oidc_token=token))
        tasks.settle()
        scheme, _, sent = tasks.worker.calls[0].headers["Authorization"].partition(" ")
        key = jwt.PyJWKClient(tasks.server.jwks_url).get_signing_key_from_jwt(sent)
        claims = jwt.decode(
            sent, key, algorithms=["RS256"], audience="https://worker", issuer="https://accounts.google.com"
        )
        assert scheme == "Bearer"
        assert (claims["email"], claims["email_verified"]) == ("tasks@p.iam", True)
        assert claims["exp"] - claims["iat"] == 3600

    def test_without_an_audience_the_token_is_for_the_url(self, tasks: Tasks) -> None:
        tasks.create(
            http_request=HttpRequest(url=f"{tasks.worker.url}/a", oidc_token=OidcToken(service_account_email="a@b"))
        )
        tasks.settle()
        sent = tasks.worker.calls[0].headers["Authorization"].partition(" ")[2]
        assert jwt.decode(sent, options={"verify_signature": False})["aud"] == f"{tasks.worker.url}/a"

    def test_a_content_type_is_only_sent_if_the_task_has_one(self, tasks: Tasks) -> None:
        tasks.create(b"payload")
        tasks.settle()
        assert "Content-Type" not in tasks.worker.calls[0].headers

    def test_a_request_that_http_cannot_say_fails_and_holds_up_nothing(self, tasks: Tasks) -> None:
        tasks.create(http_request=HttpRequest(url=tasks.worker.url, headers={"X-Name": "Zażółć"}))
        tasks.settle()
        tasks.create()
        tasks.settle()
        assert [entry.status for entry in tasks.server.log] == [0] * 5 + [204]

    def test_a_task_waits_for_its_time(self, tasks: Tasks) -> None:
        tasks.create(schedule_time=timestamp(time.time() + 0.4))
        tasks.settle()
        assert tasks.worker.calls == []
        time.sleep(0.5)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_run_task_does_not_wait(self, tasks: Tasks) -> None:
        task = tasks.create(schedule_time=timestamp(time.time() + 3600))
        tasks.client.run_task(name=task.name)
        tasks.settle()
        assert len(tasks.worker.calls) == 1

    def test_what_was_sent_is_logged(self, tasks: Tasks) -> None:
        tasks.create(b"payload", name="one")
        tasks.settle()
        assert [(entry.name, entry.body, entry.status) for entry in tasks.server.log] == [
            (f"{QUEUE}/tasks/one", b"payload", 204)
        ]


class TestLimits:
    def test_no_more_than_the_allowed_deliveries_at_once(self, worker: FakeWorker) -> None:
        def slowly(_: Call) -> tuple[int, dict[str, str]]:
            time.sleep(0.02)
            return 204, {}

        worker.answer = slowly
        with serving(worker, {"rateLimits": {"maxConcurrentDispatches": 3}}) as tasks:
            for _ in range(12):
                tasks.create()
            tasks.settle()
        assert worker.most_busy == 3

    def test_no_more_than_the_allowed_deliveries_per_second(self, worker: FakeWorker) -> None:
        with serving(worker, {"rateLimits": {"maxDispatchesPerSecond": 20, "maxBurstSize": 1}}) as tasks:
            for _ in range(8):
                tasks.create()
            tasks.settle()
        assert worker.calls[-1].at - worker.calls[0].at >= 7 / 20 * 0.9

    def test_what_a_quiet_time_leaves_unused_is_not_kept_beyond_the_burst(self, worker: FakeWorker) -> None:
        with serving(worker, {"rateLimits": {"maxDispatchesPerSecond": 20, "maxBurstSize": 1}}) as tasks:
            time.sleep(0.3)
            for _ in range(5):
                tasks.create()
            tasks.settle()
        assert worker.calls[-1].at - worker.calls[0].at >= 4 / 20 * 0.9
