"""`manage.py backup DEST`: a backup of everything while the system runs, or a check of one."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from annotation.exchange.lifecycle.backup.archive import Archive, BackupError, Manifest
from annotation.exchange.lifecycle.backup.making import make_backup
from annotation.management.commands.export import progress_on


class Command(BaseCommand):
    """Writes database, files and keys into a folder; files that it holds already are not copied again."""

    help = "Back everything up into a folder while the system runs, or (--verify) read a backup again."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("folder", type=Path, help="where the backups lie, best on another disk")
        parser.add_argument("--verify", action="store_true", help="make none: check the newest one's hashes")
        parser.add_argument("--at", default="", help="with --verify: the time of another backup")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make a backup, or check one."""
        try:
            (self.verify if options["verify"] else self.make)(options["folder"], options["at"])
        except BackupError as error:
            raise CommandError(str(error)) from None

    def make(self, root: Path, _stamp: str) -> None:
        """Make one, and say what it took."""
        with tqdm(total=100, disable=None, unit="%") as bar:
            made = make_backup(root, now=timezone.now(), progress=progress_on(bar))
        self.stdout.write(f"backup {made.stamp}: {made.files} files, {made.copied} of them copied now")
        self.stdout.write(f"{made.copied_bytes} bytes copied, {made.removed} older backups removed")

    def verify(self, root: Path, stamp: str) -> None:
        """Read one again.

        raises: CommandError naming what is missing or corrupt.
        """
        archive = Archive(root)
        folder = archive.folder(stamp)
        manifest = Manifest.read(folder)
        problems = archive.problems_of(manifest, folder)
        if problems:
            raise CommandError(f"backup {folder.name} is damaged:\n" + "\n".join(problems))
        self.stdout.write(f"backup {folder.name} is whole: the database and {len(manifest.files)} files")
        self.stdout.write(f"head {manifest.head}")
