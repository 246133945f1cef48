"""Jobs that stop at a stage on demand, to be killed there; they write users, to be counted."""

import os
import time
from pathlib import Path

from accounts.models import User
from jobs.models import Lane
from mlworker.runtime import Work, job


def stop_at(stage: str, folder: str, wanted: str) -> None:
    """Note that a stage was reached, and on the first visit of the wanted one wait to be killed."""
    mark = Path(folder) / stage
    first = not mark.exists()
    mark.write_text(str(os.getpid()))
    while first and stage == wanted:
        time.sleep(0.05)


def staged(work: Work, folder: str, stage: str) -> None:
    """Load, compute, one commit: with a stop on demand before, within and after each."""
    stop_at("claimed", folder, stage)
    for step in range(3):
        work.progress(step / 3, f"step {step}")
    stop_at("computed", folder, stage)
    with work.commit():
        User.objects.create(username=f"result {work.job_id}")
        stop_at("committing", folder, stage)
    stop_at("committed", folder, stage)


job("test_light")(staged)
job("test_spawned", lane=Lane.TRAINING, spawn=True)(staged)


@job("test_long")
def long(work: Work, folder: str) -> None:
    """Work until cancelled."""
    Path(folder, "started").touch()
    while True:
        work.progress(0.5, "working")
        time.sleep(0.05)


@job("test_failing")
def failing(work: Work, error: str) -> None:
    """Raise what is asked for."""
    raise {"value": ValueError, "os": ConnectionResetError, "file": FileNotFoundError}[error]("the cause")


@job("test_modules")
def modules(work: Work, path: str) -> None:
    """Write down what this process has imported."""
    import platform
    import sys

    Path(path).write_text(f"{platform.__file__}\n" + "\n".join(sorted(sys.modules)))


@job("test_spawned_modules", lane=Lane.TRAINING, spawn=True)
def spawned_modules(work: Work, path: str) -> None:
    """Write down what a spawned process has imported."""
    modules(work, path)
