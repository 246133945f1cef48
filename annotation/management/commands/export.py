"""`manage.py export --project P --format F --out FILE`: a project's labels in others' formats."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from annotation.exchange.out.catalogue import FORMATS
from annotation.exchange.out.rules import ExportError
from annotation.learning.models import Snapshot
from annotation.projects.models import Project
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.projects.services import record_act


class Command(BaseCommand):
    """Exports a project's readings; the same snapshot and format give the same bytes."""

    help = "Freeze a project's readings (or take a snapshot that is frozen) and write them to a zip file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument("--format", required=True, choices=sorted(FORMATS), help="what to write")
        parser.add_argument("--out", required=True, type=Path, help="the zip file to write")
        parser.add_argument(
            "--snapshot", default="", help="beginning of a snapshot's digest; else frozen now"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Export, and say what is in the file and what was left out."""
        from annotation.exchange.out.archive import digest_of
        from annotation.exchange.out.making import make

        target: Path = options["out"]
        try:
            project = project_called(options["project"])
            with tqdm(total=100, disable=None, unit="%") as bar:
                snapshot = snapshot_of(project, options["snapshot"], progress_on(bar))
                report = make(snapshot, options["format"], target, progress_on(bar))
        except (UnknownProjectError, ExportError) as error:
            raise CommandError(str(error)) from None
        digest = digest_of(target)
        details = {"format": options["format"], "snapshot": snapshot.digest[:12], "file": digest}
        record_act("export.create", project.pk, by=None, details=details)
        counts = ", ".join(f"{count} {what}" for what, count in report["counts"].items()) or "nothing"
        self.stdout.write(f"snapshot {snapshot.digest}")
        self.stdout.write(f"{counts} → {target} (SHA-256 {digest})")
        for row in report["left_out"]:
            self.stdout.write(f"left out, {row['times']} times: {row['why']}")


def snapshot_of(project: Project, name: str, progress: Callable[[float, str], None]) -> Snapshot:
    """Find a snapshot, or freeze the project.

    raises: CommandError.
    """
    from annotation.exchange.out.freezing import freeze

    if not name:
        return freeze(project=project, now=timezone.now(), progress=progress)
    frozen = project.snapshots.filter(kind=Snapshot.Kind.PROJECT)
    found = frozen.filter(digest__startswith=name).first()
    if found is None:
        known = ", ".join(one.digest[:12] for one in frozen) or "none"
        raise CommandError(f"there is no snapshot {name}: there are {known}")
    return found


def progress_on(bar: "tqdm[Any]") -> Callable[[float, str], None]:
    """Show progress on a bar."""

    def told(fraction: float, words: str) -> None:
        bar.n = round(100 * fraction)
        bar.set_description(words)

    return told
