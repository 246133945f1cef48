"""Which processes make up the system on one machine."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.home import Home
from config.supervisor import redis

CELERY: Final = (sys.executable, "-m", "celery", "-q", "-A", "config.celery")
ROOT: Final = Path(__file__).resolve().parents[3]
PORTS_TRIED: Final = 100


def web(*, host: str, port: int) -> list[str]:
    """Build the web process's command: ASGI, no access log (addresses name cases)."""
    options = {"host": host, "port": str(port), "lifespan": "off", "log-level": "warning"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [
        sys.executable,
        "-m",
        "uvicorn",
        "config.asgi:application",
        *words,
        "--no-access-log",
        "--timeout-graceful-shutdown",
        "2",
    ]


def worker(lane: str, *, queues: str, processes: int) -> list[str]:
    """Build a Celery worker's command: prefork, since only that can end a running job."""
    return [
        *CELERY,
        "worker",
        "-Q",
        queues,
        "-c",
        str(processes),
        "-n",
        f"{lane}@%h",
        "-l",
        "WARNING",
        "--without-gossip",
        "--without-mingle",
    ]


def beat(home: Home) -> list[str]:
    """Build the command of the clock that asks for a sweep."""
    return [*CELERY, "beat", "--schedule", str(home.root / "beat"), "--pidfile=", "-l", "WARNING"]


def processes(home: Home, *, host: str, port: int) -> dict[str, list[str]]:
    """List every process by its name in the log."""
    light = int(os.environ.get("FOVEA_LIGHT_PROCESSES", "2"))
    transfer = int(os.environ.get("FOVEA_TRANSFER_PROCESSES", "2"))
    receiver = [sys.executable, "manage.py", "receive"]
    listening = {"receive": receiver} if os.environ.get("FOVEA_DICOM_PORT") else {}
    return listening | {
        "redis": redis.command(folder=home.redis, socket=home.redis_socket),
        "web": web(host=host, port=port),
        "light": worker("light", queues="light,sweep", processes=light),
        "transfer": worker("transfer", queues="transfer", processes=transfer),
        "training": worker("training", queues="training", processes=1),
        "beat": beat(home),
    }


def environment(home: Home) -> Mapping[str, str]:
    """Build the environment of every process."""
    return {
        **os.environ,
        "FOVEA_HOME": str(home.root),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.embedded"),
        "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
        "PYTHONUNBUFFERED": "1",
    }


def free_port(host: str, wanted: int) -> int:
    """Find the first free port from the wanted one on.

    raises: OSError when there is none near it.
    """
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(
        f"no free port on {host} between {wanted} and {wanted + PORTS_TRIED}: give another with --port"
    )
