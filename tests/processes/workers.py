"""Real Celery workers, on the test's database and Redis, that tests kill."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
from django.db import connection

from tests.servers import ROOT, Redis, until

PACE = {
    "FOVEA_JOB_LEASE_SECONDS": "2",
    "FOVEA_JOB_HEARTBEAT_SECONDS": "0.5",
    "FOVEA_JOB_SWEEP_SECONDS": "0.5",
}


def environment(broker: Redis) -> dict[str, str]:
    """Build a process's environment: the test's database, the test's Redis, a short lease."""
    return {
        **os.environ,
        **PACE,
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "FOVEA_TEST_NAME": str(connection.settings_dict["NAME"]),
        "FOVEA_REDIS_URL": broker.url,
    }


@dataclass
class Workers:
    """One light worker and one training worker, with beat: started, killed, started again."""

    broker: Redis
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start the named processes."""
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        commands = {
            "light": [*celery, "worker", "-Q", "light,sweep", "-c", "2", "-n", "light@%h"],
            "training": [*celery, "worker", "-Q", "training", "-c", "1", "-n", "training@%h"],
            "beat": [*celery, "beat", "--schedule", str(self.broker.folder / "beat"), "--pidfile="],
        }
        for name in names:
            self.running[name] = subprocess.Popen(
                commands[name], env=environment(self.broker), cwd=ROOT, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """Kill a whole worker at once, as a power cut would: its main process; the kernel ends the others."""
        process = self.running.pop(name)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        until(lambda: not any(is_alive(child) for child in family))

    def stop(self) -> None:
        """End what is left, group by group."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs still (a zombie does not)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False


@contextlib.contextmanager
def workers(broker: Redis, *names: str) -> Iterator[Workers]:
    """Run the named workers for a while."""
    crew = Workers(broker)
    crew.start(*names)
    try:
        yield crew
    finally:
        crew.stop()
