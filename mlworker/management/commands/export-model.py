"""`manage.py export-model --project P --model N --format F --out FILE`: a version that runs elsewhere."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.out.archive import digest_of
from annotation.exchange.out.catalogue import MODEL_FORMATS
from annotation.exchange.out.rules import ExportError
from annotation.learning.models import ModelVersion
from annotation.projects.models import Project
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.projects.services import record_act


class Command(BaseCommand):
    """Writes a model version; the same version and format give the same bytes."""

    help = "Write a model version to a zip file: safetensors, ONNX or a MONAI bundle."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument("--model", type=int, default=0, help="its number; else the newest")
        parser.add_argument("--format", required=True, choices=sorted(MODEL_FORMATS), help="what to write")
        parser.add_argument("--out", required=True, type=Path, help="the zip file to write")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write it, and say what it is."""
        from mlworker.portable.writing import write

        target: Path = options["out"]
        try:
            project = project_called(options["project"])
            version = version_of(project, options["model"])
            write(version, options["format"], target, lambda _part, words: self.stderr.write(words))
        except (UnknownProjectError, ExportError) as error:
            raise CommandError(str(error)) from None
        digest = digest_of(target)
        details = {"format": options["format"], "model": version.number, "file": digest}
        record_act("export.create", project.pk, by=None, details=details)
        self.stdout.write(f"model {version.number} → {target} (SHA-256 {digest})")


def version_of(project: Project, number: int) -> ModelVersion:
    """Find a version by its number, or the newest.

    raises: CommandError.
    """
    versions = project.models.select_related("encoder", "snapshot", "project__dataset", "evaluation")
    found = versions.filter(number=number).first() if number else versions.order_by("-number").first()
    if found is None:
        raise CommandError(f"there is no model {number}" if number else "the project has no model yet")
    return found
