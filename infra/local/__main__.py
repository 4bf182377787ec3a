"""`make run`: the whole system on this machine, with a sample notebook to listen to."""

import argparse
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from infra.local.part import PartFailed
from infra.local.postgres import PostgresFailed
from infra.local.progress import JobProgress
from infra.local.sample import LOCAL_KEY, NAMES, Learner, Sample, SampleFailed, make_sample
from infra.local.scheduler import Scheduler
from infra.local.stack import TASKS_LOCATION, TASKS_SERVICE_ACCOUNT, Stack

HOME = Path(".local")
TTS_ENDPOINTS = {"local": None, "google": "texttospeech.googleapis.com"}


class CannotRun(Exception):
    """The system cannot run; the message says why and what to do."""


def main() -> None:
    """Run until Ctrl-C, or with --once until the sample is made; ends with status 0 only if all went well."""
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have left SIGINT ignored
        signal.signal(number, _end)
    try:
        with _alone(HOME, arguments.port), _stack(arguments) as stack:
            _run(stack, arguments)
    except (CannotRun, PartFailed, PostgresFailed, SampleFailed) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        print("\nStopped.")


def _stack(arguments: argparse.Namespace) -> Stack:
    return Stack(
        HOME,
        arguments.port,
        tts_endpoint=TTS_ENDPOINTS[arguments.tts],
        database_admin_url=os.environ.get("DATABASE_ADMIN_URL"),
    )


def _run(stack: Stack, arguments: argparse.Namespace) -> None:
    addresses = stack.addresses
    print(f"Audio Loop answers at {addresses.app}", flush=True)
    sweeps = Scheduler(addresses.tasks, f"{TASKS_LOCATION}/queues/sweep", addresses.workers, TASKS_SERVICE_ACCOUNT)
    with sweeps:
        with JobProgress() as progress:
            sample = make_sample(Learner(addresses.app), NAMES[arguments.tts], arguments.key, progress.show)
        _report(stack, sample)
        if not sample.is_complete:
            raise SampleFailed(
                f"The manifest is not complete: {sample.clips} clips. See .local/logs/, or delete .local to start anew."
            )
        if not arguments.once:
            _stay_up(stack)


def _report(stack: Stack, sample: Sample) -> None:
    app = stack.addresses.app
    print(f"""
Notebook   {sample.name}, {sample.phrases} phrases, {sample.clips} MP3s ({sample.seconds:.1f} s)
Manifest   {app}/api/notebooks/{sample.notebook_id}/playback-manifest
Token      {app}/api/dev/jwt
API        {app}/api/docs
Logs       {HOME}/logs/
""")


def _stay_up(stack: Stack) -> None:
    print("Press Ctrl-C to stop.", flush=True)
    while True:
        time.sleep(1)
        if name := stack.stopped_part():
            raise CannotRun(f"{name} has stopped. See {HOME}/logs/{name}.log, then run it again.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--once", action="store_true", help="stop when the sample is made")
    parser.add_argument("--tts", choices=list(TTS_ENDPOINTS), default="local")
    arguments = parser.parse_args()
    # The key comes in the environment, since the arguments of a process can be read by everyone on the machine.
    arguments.key = os.environ.pop("GOOGLE_TTS_KEY", "") if arguments.tts == "google" else LOCAL_KEY
    if not arguments.key:
        parser.error("TTS=google needs a key: make run TTS=google KEY=AIza...")
    return arguments


@contextmanager
def _alone(home: Path, port: int) -> Iterator[None]:
    """Holds the lock of this checkout; raises CannotRun where another run has it, or the port is taken."""
    home.mkdir(exist_ok=True)
    with (home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun("Audio Loop is running already in this folder. Stop that one first (Ctrl-C).") from None
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise CannotRun(
                    f"Port {port} is taken by another program. Choose another: make run PORT=9090"
                ) from None
        yield


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature is signal's
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
