"""SIGKILL for a whole browser: the process of a profile and all that it started."""

import contextlib
import os
import signal
import time
from pathlib import Path


def tree_of(profile: Path) -> list[int]:
    """Find the Chromium of a profile and all that it started."""
    parents = {int(path.name): parent_of(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    mark = f"--user-data-dir={profile}"
    dying = [pid for pid in parents if mark in command_of(pid)]
    for pid in dying:
        dying += [child for child, parent in parents.items() if parent == pid and child not in dying]
    return dying


def kill_all(pids: list[int]) -> float:
    """SIGKILL processes; returns when."""
    moment = time.monotonic()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return moment


def parent_of(process: Path) -> int:
    """Find the parent of a process; 0 where it is gone."""
    with contextlib.suppress(OSError):
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


def command_of(pid: int) -> list[str]:
    """Read a process's arguments; none where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []
