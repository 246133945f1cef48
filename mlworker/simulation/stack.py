"""The running system that simulated readers talk to: given, or started here and stopped afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 120.0
STOP_SECONDS = 30.0
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


class NotRunningError(RuntimeError):
    """No system answers."""


@contextmanager
def running(url: str) -> Iterator[str]:
    """Give the address of a system that answers; without one, `manage.py up` runs for the time being.

    raises: NotRunningError saying what to do.
    """
    if url:
        _await(url, None)
        yield url
        return
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(MANAGE), "up", "--host", "127.0.0.1", "--port", str(port)]
    signal.signal(signal.SIGTERM, _leave)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603  our own
    try:
        _await(address, process)
        yield address
    finally:
        _stop(process)


def _await(url: str, process: "subprocess.Popen[bytes] | None") -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            break
        try:
            httpx.get(f"{url}/sign-in", timeout=5.0).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise NotRunningError(
        f"nothing answers at {url}: where `make run` is up on this data, give its address with --url"
    )


def _leave(number: int, _: object) -> None:
    """End by the ordinary way out, so that what was started here is stopped."""
    raise SystemExit(128 + number)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
