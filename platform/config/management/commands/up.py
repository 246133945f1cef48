"""`manage.py up`: the whole system on one machine, until Ctrl-C."""

import fcntl
import os
import shlex
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from functools import partial
from typing import IO, Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone
from honcho.manager import Manager

from config.demo.accounts import known_accounts
from config.home import Home
from config.supervisor import plan
from jobs.parent import die_with
from jobs.services import release_all

STOPPED_BY_HAND: Final = (0, 130, 143)
ANSWER_SECONDS: Final = 300


class Command(BaseCommand):
    """Start web, workers, clock and broker; restart what dies; stop everything with Ctrl-C."""

    help = "Run the whole system on this machine: web, workers, clock and broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address to serve on."""
        parser.add_argument("--host", default=os.environ.get("FOVEA_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("FOVEA_PORT", "8000")))
        parser.add_argument("--demo", action="store_true", help="make the demo first (`manage.py demo`)")
        parser.add_argument("--data", default="", help="the demo's images: folder, zip or MedMNIST .npz file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the data directory and supervise until the end."""
        home: Home = settings.HOME
        with home.lock.open("a+") as lock:
            hold(lock, home)
            call_command("migrate", verbosity=0, interactive=False)
            if options["demo"] or options["data"]:
                call_command("demo", data=options["data"], stdout=self.stdout)
            release_all(timezone.now())
            home.redis.mkdir(mode=0o700, exist_ok=True)
            port = plan.free_port(options["host"], options["port"])
            if port != options["port"]:
                self.stdout.write(f"Port {options['port']} is in use: taking {port}.")
            self.supervise(home, options["host"], port)

    def supervise(self, home: Home, host: str, port: int) -> None:
        """Run every process under its keeper.

        raises: CommandError naming the process that kept dying.
        """
        manager = Manager()
        for name, command in plan.processes(home, host=host, port=port).items():
            words = [sys.executable, "-m", "config.supervisor.keeper", name, str(home.lock), *command]
            environment = dict(plan.environment(home))
            manager.add_process(name, f"exec {shlex.join(words)}", env=environment, cwd=str(plan.ROOT))
        threading.Thread(target=self.announce, args=(home, host, port), daemon=True).start()
        leave_no_orphan()
        manager.loop()
        if manager.returncode not in STOPPED_BY_HAND:
            raise CommandError(
                "A process kept dying, so everything was stopped: its last lines above say why."
            )

    def announce(self, home: Home, host: str, port: int) -> None:
        """Print the address and the demo's accounts, once the web process answers."""
        url = f"http://{'localhost' if host == '127.0.0.1' else host}:{port}/"
        if not answers(url):
            return
        lines = [
            f"  {account.username:<10} {account.password}   {account.role}"
            for account in known_accounts(home)
        ]
        accounts = ["", "Sign in as (name, password, role):", *lines] if lines else []
        text = [
            f"Fovea is at {url}",
            f"Its data lie in {home.root}",
            *accounts,
            "",
            "Ctrl-C stops everything.",
        ]
        self.stdout.write("\n" + "\n".join(text) + "\n")
        self.stdout.flush()


def hold(lock: IO[str], home: Home) -> None:
    """Take the data directory's lock, which ends with this process.

    raises: CommandError when another supervisor runs on it.
    """
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CommandError(f"Fovea already runs on {home.root}: stop it first, or set FOVEA_HOME.") from error


def leave_no_orphan() -> None:
    """Have what the manager forks die with this process, and a closed terminal end it in good order."""
    connections.close_all()
    os.register_at_fork(after_in_child=partial(die_with, os.getpid()))
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def answers(url: str) -> bool:
    """Wait until the web process answers anything at all."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own address
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.2)
    return False
