"""`manage.py import-labels FILE …`: others' labels become readings of a named source."""

import hashlib
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from annotation.exchange.labels import importing, services
from annotation.exchange.labels.checking import Asked, Found
from annotation.exchange.labels.naming import MappingError, mapping_of
from annotation.exchange.labels.statements import FORMATS, LabelFileError
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.readings.models import Source
from annotation.studies.door.sandbox import DoorBrokenError

SHOWN = 20
WORDS = {
    "new": "new readings",
    "changed": "changed readings",
    "same": "there already",
    "invalid": "invalid readings",
    "unmatched": "statements without a case",
    "unread": "files or lines that could not be read",
    "unused": "statements left out by the mapping, or without a question",
}


class Command(BaseCommand):
    """Imports labels as readings of a named source; the same file again changes nothing."""

    help = "Import labels (CSV, COCO, Pascal VOC, DICOM SEG/SR/RTSTRUCT, NIfTI masks) of a named source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("file", type=Path, help="file, folder or zip")
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument("--source", required=True, help='whose labels they are: "CheXpert labeler v1"')
        parser.add_argument("--format", required=True, choices=sorted(FORMATS), help="what the file is")
        parser.add_argument(
            "--use",
            default=Source.Use.KEPT,
            choices=Source.Use.values,
            help="what becomes of them where no reader has read: kept beside, learned from, or the reference",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="NAME=MEANING",
            help="column=question, category=question:label, column:value=choice, column=@path, …=- to leave"
            " out; or a JSON file of these",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and write nothing"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, and say what became of the file."""
        try:
            found = self._found(options)
        except (LabelFileError, MappingError, RefusedError, UnknownProjectError, DoorBrokenError) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"counts": found.counts, "lines": found.lines}))
        else:
            self._tell(found, is_dry=options["dry_run"])

    def _found(self, options: dict[str, Any]) -> Found:
        project = project_called(options["project"])
        wanted = services.checked_wanted(
            project,
            services.Wanted(
                options["source"], options["use"], options["format"], mapping_of(lines_of(options["map"]))
            ),
        )
        with tqdm(total=100, file=sys.stderr, disable=options["json"] or None, unit="%") as bar:

            def progress(fraction: float, words: str) -> None:
                bar.n = round(100 * fraction)
                bar.set_description(words)

            return run(project, wanted, options["file"], progress, is_dry=options["dry_run"])

    def _tell(self, found: Found, *, is_dry: bool) -> None:
        told = [f"{found.counts[name]} {words}" for name, words in WORDS.items() if found.counts[name]]
        self.stdout.write(f"{'Would be: ' if is_dry else ''}{', '.join(told) or 'nothing to import'}")
        problems = [one for one in found.lines if one[2] in ("invalid", "unmatched")]
        for where, case, _, words in problems[:SHOWN]:
            self.stdout.write(f"  {where}{f', case {case}' if case else ''}: {words}")
        if len(problems) > SHOWN:
            self.stdout.write(f"  … and {len(problems) - SHOWN} more: --json lists them")


def run(project: Project, wanted: services.Wanted, path: Path, progress: Any, *, is_dry: bool) -> Found:
    """Preview, or write and keep the report."""
    now = timezone.now()
    asked = Asked(project, wanted.source_name, wanted.format, wanted.mapping)
    if is_dry:
        return importing.preview(asked, path, progress)
    found = importing.write(asked, path, use=wanted.use, now=now, progress=progress)
    row = services.open_import(
        project=project, wanted=wanted, title=path.resolve().name, digest=digest_of(path), by=None, now=now
    )
    services.finish(asked=row, state=row.State.DONE, found=found, now=timezone.now())
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file; nothing for a folder."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lines_of(given: list[str]) -> list[str]:
    """Read the mapping's lines, from a file where one is named."""
    if len(given) == 1 and given[0].endswith(".json") and Path(given[0]).is_file():
        return [Path(given[0]).read_text(encoding="utf-8")]
    return given
