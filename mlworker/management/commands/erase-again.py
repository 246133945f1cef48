"""`manage.py erase-again SRC`: who was erased after a backup was made is erased from what it brought back."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from annotation.exchange.lifecycle.backup.making import ERASURES
from annotation.exchange.lifecycle.belongings import Belongings, subject_of
from annotation.exchange.lifecycle.erasing import request_erasure
from annotation.projects.models import Project
from annotation.studies.models import Dataset, Patient, QuarantinedFile
from mlworker.runtime import run


class Command(BaseCommand):
    """Compares the list beside the backups with the patients that are there."""

    help = "Erase again the patients that the list beside the backups names (`restore` does so itself)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("folder", type=Path, help="where the backups lie")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Erase, one after the other."""
        path: Path = options["folder"] / ERASURES
        told: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []
        subjects = {(one["dataset"], one["subject"]) for one in told}
        back = list(returned(subjects))
        for found in back:
            erase(found)
        self.stdout.write(f"{len(back)} patients erased again")


def returned(subjects: set[tuple[str, str]]) -> Iterator[Belongings]:
    """Find the erased patients of whom something is there again."""
    for dataset in Dataset.objects.filter(pk__in={dataset for dataset, _ in subjects}):
        named = Patient.objects.filter(dataset=dataset).values_list("pseudonym", flat=True)
        held = QuarantinedFile.objects.filter(dataset=dataset).values_list("patient", flat=True)
        for pseudonym in {*named, *held} - {""}:
            if (str(dataset.pk), subject_of(dataset.pk, pseudonym)) in subjects:
                yield Belongings(dataset, pseudonym)


def erase(found: Belongings) -> None:
    """Erase one patient at once: nobody is served before that."""
    project = Project.every.filter(dataset=found.dataset).first()
    if project is not None:
        asked = request_erasure(
            project=project, found=found, reason="erased before; a restore brought it back", by=None,
            now=timezone.now(),
        )  # fmt: skip
        run(str(asked.job_id))
