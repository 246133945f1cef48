"""`manage.py up` with real processes: restarted when they die, all gone when it ends, however it ends."""

import fcntl
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from config.supervisor import plan
from config.supervisor.keeper import QUICK_DEATHS, pause_before
from tests.processes.workers import is_alive
from tests.servers import ROOT, until
from tests.tables import put_tables_in

pytestmark = pytest.mark.processes
LONG = "long" * 20
START_SECONDS, STOP_SECONDS = 240, 60
PARTS = {
    "redis": "redis-server",
    "web": "uvicorn",
    "light": "light@",
    "training": "training@",
    "beat": "beat --schedule",
}


@dataclass
class Up:
    """The running command, what it has said so far, and its processes."""

    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text()

    def parts(self) -> dict[str, psutil.Process]:
        """Find the main process of each part: a keeper's child."""
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            words = command_of(child)
            for name, sign in PARTS.items():
                if sign in words and "supervisor.keeper" not in words and is_kept(child):
                    found[name] = child
        return found


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def is_kept(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
    except psutil.Error:
        return False
    return parent is not None and "supervisor.keeper" in command_of(parent)


def start(home: Path) -> Up:
    environment = {
        **os.environ,
        "FOVEA_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    command = [sys.executable, "manage.py", "up", "--port", "18000"]
    log = home.with_suffix(f".{secrets.token_hex(4)}.log")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    return Up(home, process, log)


@contextmanager
def started(home: Path) -> Iterator[Up]:
    """Start everything, and wait until it says so."""
    running = start(home)
    try:
        until(lambda: "Ctrl-C stops" in running.text() or not is_running(running), seconds=START_SECONDS)
        assert is_running(running), running.text()
        until(lambda: set(running.parts()) == set(PARTS), seconds=START_SECONDS)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def is_running(up: Up) -> bool:
    return up.process.poll() is None


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Start everything on tables that are there, where the path is too long for a socket's."""
    home = tmp_path / LONG
    put_tables_in(home)
    with started(home) as running:
        yield running


@pytest.fixture(scope="module")
def from_nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start everything in a data directory that is not there, for the tests that leave it running."""
    with started(tmp_path_factory.mktemp("up") / LONG) as running:
        yield running


def family(up: Up) -> list[psutil.Process]:
    return list(psutil.Process(up.process.pid).children(recursive=True))


def none_left(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(process) for process in processes)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_it_is_stopped_no_process_is_left(up: Up, signal_number: int) -> None:
    everything = family(up)
    assert len(everything) >= 15
    up.process.send_signal(signal_number)
    until(lambda: none_left(everything), seconds=STOP_SECONDS)


def test_it_makes_its_tables_and_prints_its_address(from_nothing: Up) -> None:
    address = re.search(r"Fovea is at (http://localhost:\d+)/", from_nothing.text())
    assert address is not None
    assert httpx.get(f"{address[1]}/sign-in").status_code == httpx.codes.OK


def test_a_second_one_on_the_same_data_says_so(from_nothing: Up) -> None:
    second = start(from_nothing.home)
    assert second.process.wait(timeout=START_SECONDS) == 1
    until(lambda: "already runs on" in second.text())


def test_what_dies_is_started_again(from_nothing: Up) -> None:
    before = from_nothing.parts()
    for part in before.values():
        part.kill()
    until(lambda: set(from_nothing.parts()) == set(PARTS), seconds=START_SECONDS)
    assert not {part.pid for part in before.values()} & {part.pid for part in from_nothing.parts().values()}
    assert "web died (signal SIGKILL): starting it again" in from_nothing.text()


IMPATIENT = """
import sys
from config.supervisor import keeper
keeper.FIRST_DELAY_SECONDS = 0.01
sys.exit(keeper.main(*sys.argv[1:]))
"""


def test_a_process_that_keeps_dying_ends_its_keeper_which_says_why(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    dying = [sys.executable, "-c", "raise SystemExit(3)"]
    with lock.open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        ended = subprocess.run(
            [sys.executable, "-c", IMPATIENT, "web", str(lock), *dying],
            env={**os.environ, "PYTHONPATH": str(ROOT / "platform")},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    assert ended.returncode == 1, ended.stderr
    assert f"web died {QUICK_DEATHS} times in a row (exit status 3): giving up" in ended.stdout


def test_pauses_between_restarts_grow_to_a_limit() -> None:
    assert [pause_before(deaths) for deaths in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_port_in_use_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert plan.free_port("127.0.0.1", port) > port
