"""`manage.py encoders`: which encoders there are; `manage.py encoders add NAME --file F --project P`."""

import json
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.learning import promotion
from annotation.learning.catalogue import CATALOGUE, entry_of
from annotation.learning.models import Encoder
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError


class Command(BaseCommand):
    """List encoders, or register weights for a project, which then encodes its images with them."""

    help = "List encoders, or add one to a project from a weights file or its hub."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--json`, or what to add."""
        parser.add_argument("--json", action="store_true", help="print the list as JSON")
        adding = parser.add_subparsers(dest="action").add_parser("add", help="register weights")
        adding.add_argument("name", choices=list(CATALOGUE), metavar="NAME")
        adding.add_argument("--project", required=True, help="name of the project that will use it")
        source = adding.add_mutually_exclusive_group(required=True)
        source.add_argument("--file", type=Path, help="safetensors, or torch's format read without pickles")
        source.add_argument("--hub", action="store_true", help="fetch it from where the catalogue says")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or add."""
        if options["action"] == "add":
            self.add(options)
        elif options["json"]:
            self.stdout.write(json.dumps(listed(), indent=1))
        else:
            self.table()

    def table(self) -> None:
        """Print a table of the catalogue, then what is registered."""
        found = listed()
        for row in found["catalogue"]:
            package = f"; needs {row['package']}" if row["package"] else ""
            self.stdout.write(f"{row['name']:24} {row['title']}{package}")
            self.stdout.write(f"{'':24} {row['source']} · {row['licence']}")
        self.stdout.write("\nRegistered:" if found["registered"] else "\nNone is registered yet.")
        for row in found["registered"]:
            self.stdout.write(f"{row['digest'][:12]:24} {row['name']} · {row['dataset']}")

    def add(self, options: dict[str, Any]) -> None:
        """Register weights, and ask for the project's images to be encoded with them.

        raises: CommandError naming what does not fit.
        """
        from mlworker import adopt
        from mlworker.encoders import weights
        from mlworker.encoders.foreign import MissingPackageError

        project = Project.objects.select_related("dataset").filter(name=options["project"]).first()
        if project is None:
            raise CommandError(f"no project is called {options['project']!r}")
        entry = entry_of(options["name"])
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = adopt.fetched(entry, Path(folder)) if options["hub"] else options["file"]
                encoder = adopt.encoder_from(project.dataset, entry, weights.read_file(path), path.name)
        except (RefusedError, MissingPackageError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        job = promotion.request_added(project=project, encoder=encoder, name=entry.name)
        self.stdout.write(
            f"{encoder.name} is registered as {encoder.digest[:12]}. "
            f"Job {job.pk} encodes the images with it; then the project changes over."
        )


def listed() -> dict[str, list[dict[str, Any]]]:
    """List the catalogue, and every encoder that is registered."""
    rows = Encoder.objects.select_related("dataset").order_by("dataset__name", "-created_at")
    return {
        "catalogue": [entry.as_row() for entry in CATALOGUE.values()],
        "registered": [
            {
                "name": one.name,
                "digest": one.digest,
                "dataset": one.dataset.name if one.dataset else "",
                "licence": one.licence,
                "source": one.source,
                "dimension": one.dimension,
                "preprocessing": one.preprocessing,
            }
            for one in rows
        ],
    }
