"""How a job runs: claimed, kept alive by a heartbeat, here or in a process of its own, ended with results."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.utils import timezone

from jobs import services
from jobs.claims import Claim, StaleClaim
from jobs.models import Job
from mlworker.periodic import repeating
from mlworker.registry import Registered, job, lookup, registered

__all__ = ["Registered", "Work", "job", "registered", "run"]

log = logging.getLogger(__name__)
PROGRESS_INTERVAL_SECONDS: Final = 0.5
POLL_SECONDS: Final = 0.1
# Faults of a job's surroundings: it is tried again. Anything else is the job's own fault and ends it.
SURROUNDINGS: Final = (OperationalError, InterfaceError, OSError, MemoryError)
OWN_FAULTS: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


class Work:
    """What a job's body is given: says how far it is, and commits its results."""

    def __init__(self, claim: Claim, *, stale: threading.Event | None = None) -> None:
        self.claim = claim
        self.finished = False
        self._stale = stale or threading.Event()
        self._told_at = 0.0

    @property
    def job_id(self) -> uuid.UUID:
        """The job's id: results named by it are written once, however often the job runs."""
        return self.claim.job_id

    def progress(self, fraction: float, message: str) -> None:
        """Say how far the work is (0 to 1); cheap enough for every batch.

        raises: StaleClaim when the job was cancelled or taken over: stop.
        """
        if self._stale.is_set():
            raise StaleClaim(f"job {self.job_id} is no longer this worker's")
        if time.monotonic() - self._told_at >= PROGRESS_INTERVAL_SECONDS:
            services.heartbeat(self.claim, progress=fraction, message=message)
            self._told_at = time.monotonic()

    @contextmanager
    def commit(self) -> Iterator[Job]:
        """One transaction for the results and the job's end: both are there, or neither.

        raises: StaleClaim when the job was cancelled or taken over: nothing was written.
        """
        with services.fenced(self.claim) as held:
            yield held
            services.finish(self.claim)
        self.finished = True


@contextmanager
def kept_alive(claim: Claim) -> Iterator[threading.Event]:
    """Keep a claim alive from a thread, while the body computes; gives what says that it is lost."""
    stale = threading.Event()

    def beat() -> None:
        if stale.is_set():
            return
        try:
            services.heartbeat(claim)
        except StaleClaim:
            stale.set()
        except DatabaseError as error:
            log.warning("heartbeat of job %s: %s", claim.job_id, type(error).__name__)
            connections.close_all()

    with repeating(beat, every=settings.JOB_HEARTBEAT_SECONDS, name=f"heartbeat {claim.job_id}"):
        yield stale


def run(job_id: uuid.UUID | str) -> None:
    """Do one job, if it is there to be done: a message that comes twice or late does nothing."""
    claim = services.claim(job_id, worker=worker_name(), now=timezone.now())
    if claim is None:
        return
    log.info("job %s %s: attempt %s", claim.name, claim.job_id, claim.attempt)
    with kept_alive(claim) as stale, ending(claim):
        kind = lookup(claim.name)
        if kind.spawn:
            run_spawned(claim, stale)
        else:
            perform(kind, Work(claim, stale=stale))


def perform(kind: Registered, work: Work) -> None:
    """Call a job's body, and end the job where the body had nothing to commit."""
    kind.body(work, **work.claim.arguments)
    if not work.finished:
        services.finish(work.claim)


@contextmanager
def ending(claim: Claim) -> Iterator[None]:
    """Turn what a body raises into the job's state: given up, tried again, or not ours any more."""
    try:
        yield
    except StaleClaim:
        log.info("job %s was cancelled or taken over: its work is dropped", claim.job_id)
    except Exception as error:
        log.exception("job %s %s: attempt %s failed", claim.name, claim.job_id, claim.attempt)
        record_end(claim, error)


def record_end(claim: Claim, error: Exception) -> None:
    """Write how an attempt ended; where even that fails, the lease runs out and the sweep takes over."""
    again = isinstance(error, SURROUNDINGS) and not isinstance(error, OWN_FAULTS)
    end = services.give_back if again else services.fail
    try:
        end(claim, f"{type(error).__name__}: {error}")
    except (StaleClaim, DatabaseError) as problem:
        log.warning("the end of job %s could not be written: %s", claim.job_id, type(problem).__name__)


def run_spawned(claim: Claim, stale: threading.Event) -> None:
    """Do a job in a process of its own, and kill that when the claim is lost.

    raises: ChildProcessError when the process died without ending the job (killed, out of memory).
    """
    child = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", "mlworker.child", str(claim.job_id), str(claim.token), str(os.getpid())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while child.poll() is None and not stale.is_set():
            time.sleep(POLL_SECONDS)
    finally:
        kill_group(child)
    if child.returncode != 0 and not stale.is_set():
        raise ChildProcessError(f"the job's process died ({said(child.returncode)})")


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and whatever it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def said(returncode: int) -> str:
    """Put an exit status into words."""
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}: killed, perhaps for want of memory"
    return f"exit status {returncode}: see the worker's log"


def worker_name() -> str:
    """Name the process for a job's row."""
    return f"{socket.gethostname()}:{os.getpid()}"
