"""The web process as a reader meets it, with a data directory of its own; tests and benchmarks start it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, sync_playwright

from tests.servers import ROOT
from tests.tables import put_tables_in

PASSWORD = "kept only in this test"
BUILT = ROOT / "frontend" / "static" / "app" / ".vite" / "manifest.json"
START_SECONDS, STOP_SECONDS = 300, 30


WAITING = """
import time
{imports}
deadline = time.monotonic() + {seconds}
while not ({condition}):
    assert time.monotonic() < deadline, "it did not hold in time"
    time.sleep(0.3)
"""


@dataclass(frozen=True)
class Fovea:
    """A running web process with its own data directory."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run a management command in the same data directory; returns what it wrote."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, code: str) -> str:
        """Run Python inside the system; returns the last line that it printed."""
        return self.manage("shell", "--no-imports", "-c", code).strip().rpartition("\n")[2]

    def wait_for(self, imports: str, condition: str, *, seconds: float) -> None:
        """Wait inside the system until an expression holds: in one process, whose start takes seconds."""
        self.run(WAITING.format(imports=imports, condition=condition, seconds=seconds))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the web process ended"
        assert time.monotonic() < deadline, "the web process does not answer"
        try:
            urllib.request.urlopen(f"{url}/sign-in", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)


def build_front_end() -> Path:
    """Build the front end where it is not built."""
    if not BUILT.exists():
        npm = shutil.which("npm")
        assert npm, "the front end is not built and there is no npm: run `make run` once"
        subprocess.run([npm, "run", "build"], cwd=ROOT / "frontend", check=True, capture_output=True)
    return BUILT


def system_in(home: Path, port: int, **more: str) -> Fovea:
    """Name a system with SQLite and files in a folder of its own."""
    settings = {"FOVEA_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    return Fovea(f"http://127.0.0.1:{port}", os.environ | settings | more)


@contextmanager
def running(system: Fovea, command: list[str], *, output: int | None = None) -> Iterator[Fovea]:
    """Run a system's process until the caller is done; output: where it writes, as subprocess takes it."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=system.environment, stdout=output)
    try:
        wait_until_up(system.url, process)
        yield system
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


@contextmanager
def serving(home: Path, *, postgresql: str = "") -> Iterator[Fovea]:
    """Serve an empty system; postgresql: folder of the socket of a server with an empty database `fovea`."""
    port = free_port()
    path = f"{ROOT / 'platform'}{os.pathsep}{ROOT}"
    more = {"PYTHONPATH": path, "FOVEA_LOG_LEVEL": "ERROR"}
    if postgresql:
        more |= {"DJANGO_SETTINGS_MODULE": "config.settings.test", "FOVEA_TEST_POSTGRESQL": postgresql}
    system = system_in(home, port, **more)
    if postgresql:
        system.manage("migrate", "--verbosity", "0", "--skip-checks")
    else:
        put_tables_in(home)
    command = ["-m", "uvicorn", "config.asgi:application", "--port", str(port), "--log-level", "error"]
    with running(system, command):
        yield system


@contextmanager
def whole_system_in(home: Path) -> Iterator[Fovea]:
    """Run everything as `manage.py up` does: web, workers, clock, broker."""
    port = free_port()
    system = system_in(home, port)
    put_tables_in(home)
    command = ["manage.py", "up", "--port", str(port)]
    with running(system, command, output=subprocess.DEVNULL):
        yield system


# What Playwright turns off, whose list this one replaces; and two pages of Chromium's own that every window
# loads, for a second of a processor.
DISABLED = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
)


def launch(kind: BrowserType, *flags: str) -> Browser:
    """Launch Debian's Chromium, else the one that Playwright installed."""
    debian = Path("/usr/bin/chromium")
    path = debian if debian.exists() else None
    return kind.launch(
        executable_path=path, args=["--no-sandbox", f"--disable-features={','.join(DISABLED)}", *flags]
    )


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        yield browser
        browser.close()
