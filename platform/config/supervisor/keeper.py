"""Keeps one process alive: `python -m config.supervisor.keeper NAME LOCK COMMAND …`.

A process that dies is started again, later each time; one that keeps dying ends the keeper, and with it the
whole. When the supervisor stops or is gone (nobody holds its lock), the process and all its children end.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from jobs.parent import die_with

POLL_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 3.0
FIRST_DELAY_SECONDS: Final = 0.5
LAST_DELAY_SECONDS: Final = 10.0
STEADY_SECONDS: Final = 30.0
QUICK_DEATHS: Final = 6


def pause_before(quick_deaths: int) -> float:
    """How long to wait before another start, in seconds: doubled with each quick death in a row."""
    return float(min(FIRST_DELAY_SECONDS * 2 ** (quick_deaths - 1), LAST_DELAY_SECONDS))


def is_supervised(lock: Path) -> bool:
    """Whether a supervisor holds the lock: a POSIX lock ends with its process, however that ends."""
    with lock.open("rb") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@dataclass
class Keeper:
    """One process and its restarts."""

    name: str
    command: Sequence[str]
    lock: Path
    stopping: bool = False
    quick_deaths: int = 0
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def keep(self) -> int:
        """Run the process until told to stop (0), or until it has died too often in a row (1)."""
        while self.is_wanted():
            began = time.monotonic()
            ended = self.run_once()
            if ended is None:
                break
            if not self.may_restart(ended, time.monotonic() - began):
                return 1
        return 0

    def is_wanted(self) -> bool:
        """Whether the process should still run."""
        return not self.stopping and is_supervised(self.lock)

    def run_once(self) -> int | None:
        """Start the process and watch it: its exit status, or None when it was stopped because it should."""
        self.child = subprocess.Popen(  # noqa: S603  the supervisor's own plan
            self.command,
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509  a keeper has one thread
        )
        while self.child.poll() is None:
            if not self.is_wanted():
                self.stop_child(self.child)
                return None
            time.sleep(POLL_SECONDS)
        return self.child.returncode

    def may_restart(self, status: int, lived_seconds: float) -> bool:
        """Say that the process died and wait a little; False when it has died too often in a row."""
        self.quick_deaths = 1 if lived_seconds > STEADY_SECONDS else self.quick_deaths + 1
        said = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        if self.quick_deaths >= QUICK_DEATHS:
            print(f"{self.name} died {self.quick_deaths} times in a row ({said}): giving up", flush=True)  # noqa: T201  the supervisor's log
            return False
        delay = pause_before(self.quick_deaths)
        print(f"{self.name} died ({said}): starting it again in {delay:g} s", flush=True)  # noqa: T201  the supervisor's log
        self.wait(delay)
        return True

    def wait(self, seconds: float) -> None:
        """Wait, but not when told to stop."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.is_wanted():
            time.sleep(POLL_SECONDS)

    def stop_child(self, child: subprocess.Popen[bytes]) -> None:
        """Ask the process to end, then end it and all it started."""
        child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            child.wait()

    def stop(self, *_: object) -> None:
        """Note that the supervisor wants an end."""
        self.stopping = True


def main(name: str, lock: str, *command: str) -> int:
    """Keep one process."""
    die_with(os.getppid())
    keeper = Keeper(name, command, Path(lock))
    signal.signal(signal.SIGTERM, keeper.stop)
    signal.signal(signal.SIGINT, keeper.stop)
    return keeper.keep()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
