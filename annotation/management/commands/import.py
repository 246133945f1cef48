"""`manage.py import PATH --project NAME`: a folder, an archive or one file becomes cases of a project."""

import json
import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from tqdm import tqdm

from annotation.exchange.archives import DeliveryError
from annotation.exchange.imports import (
    Report,
    UnknownModalityError,
    fail_delivery,
    open_delivery,
    project_named,
    run_delivery,
)
from annotation.exchange.tables import text_of
from annotation.exchange.watching import Watch, memory_of
from annotation.management.commands.protocol import chosen
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.studies.door.sandbox import DoorBrokenError
from annotation.studies.intake import Treatment
from annotation.studies.models import Import, ImportedFile

SHOWN_REASONS, LONGEST_SITE = 12, 64


class Command(BaseCommand):
    """Imports images into a project, which is made where it is not there."""

    help = "Import a folder, a zip, a tar or one file (images, volumes; labels.csv) into a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("path", type=Path, help="folder, zip, tar or file")
        parser.add_argument(
            "--project", required=True, help="name of the project; made where it is not there"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON on standard output")
        parser.add_argument(
            "--choices", default="", help="a,b,c: answers of a new project; else labels.csv's"
        )
        parser.add_argument(
            "--protocol", type=Path, help="what a new project asks: JSON of questions and settings"
        )
        parser.add_argument("--template", help="what a new project asks: a ready-made protocol, by its name")
        parser.add_argument("--modality", default="OT", help="what plain pictures are said to be (DX, MR, …)")
        parser.add_argument(
            "--site", default="", help="where the images were made, by a name that may be known"
        )
        parser.add_argument(
            "--watch",
            action="store_true",
            help="look at the folder again and again, and import what has come to rest, until stopped",
        )
        parser.add_argument(
            "--every", type=float, default=10.0, help="seconds between two looks, with --watch"
        )
        parser.add_argument(
            "--pictures-uncleared",
            action="store_true",
            help="hold every plain picture (PNG, JPEG) until an administrator has looked; without it"
            " you vouch that none shows a name",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, and say what became of every file."""
        project = self._project(options)
        if options["watch"]:
            self._watch(project, options)
            return
        delivery = self._delivery(project, options)
        report = self._run(delivery, options)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(delivery, report)))
        else:
            self._tell(project, delivery, report)

    def _project(self, options: dict[str, Any]) -> Project:
        values = [value.strip() for value in options["choices"].split(",") if value.strip()]
        choices = [(value, text_of(value)) for value in values]
        named = options["protocol"] or options["template"]
        protocol = chosen(options["protocol"], options["template"]) if named else None
        try:
            return project_named(
                name=options["project"],
                source=options["path"],
                choices=choices,
                created_by=None,
                now=timezone.now(),
                protocol=protocol,
            )
        except (DeliveryError, RefusedError) as error:
            raise CommandError(f"{options['path']}: {error}") from error

    def _delivery(self, project: Project, options: dict[str, Any]) -> Import:
        if len(options["site"]) > LONGEST_SITE:
            raise CommandError(f"--site has {len(options['site'])} characters: give {LONGEST_SITE} at most")
        try:
            delivery = open_delivery(
                project=project,
                source_name=options["path"].resolve().name,
                requested_by=None,
                now=timezone.now(),
                modality=options["modality"],
                pictures_cleared=not options["pictures_uncleared"],
            )
        except UnknownModalityError as error:
            raise CommandError(str(error)) from error
        delivery.site = options["site"]
        delivery.save(update_fields=["site"])
        return delivery

    def _watch(self, project: Project, options: dict[str, Any]) -> None:
        folder: Path = options["path"].resolve()
        if not folder.is_dir():
            raise CommandError(f"{options['path']}: --watch needs a folder")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        treatment = Treatment(
            modality=options["modality"],
            pictures_cleared=not options["pictures_uncleared"],
            options=project.dataset.deidentification,
        )
        watch = Watch(folder, project, memory_of(settings.HOME.root / "watched", folder, project), treatment)
        self.stdout.write(f"{project.name}: watching {folder}")
        self.stdout.flush()
        while not stop.is_set():
            try:
                if count := watch.look():
                    self.stdout.write(f"{project.name}: {count} files taken")
                    self.stdout.flush()
            except (DeliveryError, OSError, OperationalError) as error:
                self.stderr.write(f"{folder}: {error}: looking again")
            stop.wait(options["every"])

    def _run(self, delivery: Import, options: dict[str, Any]) -> Report:
        bar = tqdm(
            total=1.0, file=sys.stderr, disable=options["json"], bar_format="{l_bar}{bar}| {desc}{postfix}"
        )

        def progress(fraction: float, message: str) -> None:
            bar.set_postfix_str(message, refresh=False)
            bar.update(fraction - bar.n)

        try:
            return run_delivery(delivery.pk, source=options["path"], progress=progress)
        except (DeliveryError, DoorBrokenError) as error:
            fail_delivery(delivery.pk, error=str(error), now=timezone.now())
            raise CommandError(f"{options['path']}: {error}") from error
        finally:
            bar.close()

    def _tell(self, project: Project, delivery: Import, report: Report) -> None:
        self.stdout.write(
            f"{project.name}: {report.total} files: {report.stored} stored,"
            f" {report.duplicate} there already, {report.quarantined} quarantined"
        )
        for reason, count in reasons(delivery)[:SHOWN_REASONS]:
            self.stdout.write(f"  {count} × {reason}")


def as_json(delivery: Import, report: Report) -> dict[str, Any]:
    """Write the report with a line for each file."""
    rows = delivery.files.order_by("path").values("path", "outcome", "reason")
    return {
        "stored": report.stored,
        "duplicate": report.duplicate,
        "quarantined": report.quarantined,
        "files": list(rows),
    }


def reasons(delivery: Import) -> list[tuple[str, int]]:
    """Why files were quarantined, the commonest first."""
    counts: dict[str, int] = {}
    held = delivery.files.filter(outcome=ImportedFile.Outcome.QUARANTINED)
    for reason in held.values_list("reason", flat=True):
        counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
