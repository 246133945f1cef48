"""`manage.py restore SRC`: a backup put back into an empty data directory, and checked."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.exchange.lifecycle.backup.archive import BackupError
from annotation.exchange.lifecycle.backup.restoring import restore
from annotation.management.commands.export import progress_on


class Command(BaseCommand):
    """Restores files, keys and database; then checks the audit chain, and erases again who was erased."""

    help = "Put a backup back into an empty data directory (and database and file store), and check it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("folder", type=Path, help="where the backups lie")
        parser.add_argument("--at", default="", help="the time of a backup, such as 20260131T120000Z")
        parser.add_argument("--force", action="store_true", help="overwrite what is there")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Restore, then check with the restored keys: in processes of their own."""
        root: Path = options["folder"]
        try:
            with tqdm(total=100, disable=None, unit="%") as bar:
                manifest = restore(
                    root, stamp=options["at"], force=options["force"], progress=progress_on(bar)
                )
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"restored: the database and {len(manifest.files)} files of {manifest.made_at}")
        self.run("migrate", "--verbosity", "0", "--no-input")
        self.run("verify-audit", "--head", manifest.head)
        self.run("erase-again", str(root))

    def run(self, *arguments: str) -> None:
        """Run another command on what was restored.

        raises: CommandError with what it says.
        """
        path = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(  # noqa: S603  our own interpreter and commands
            [sys.executable, "-m", "django", *arguments, "--skip-checks"],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        self.stdout.write(done.stdout.strip())
        if done.returncode:
            raise CommandError(f"{arguments[0]} failed on what was restored:\n{done.stderr.strip()}")
