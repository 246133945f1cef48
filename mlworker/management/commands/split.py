"""`manage.py split PROJECT`: divide a project's patients into training, validation and test, here and now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.learning.duplicates import request_split
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.projects.splits import Wanted, part_rows, split_of
from jobs.models import State
from mlworker.runtime import run


class Command(BaseCommand):
    """Places patients who have no place; who has one keeps it."""

    help = "Divide a project's patients into training, validation and test; nobody who has a place moves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        usual = Wanted()
        parser.add_argument("project", help="name or id")
        parser.add_argument("--val", type=float, help=f"share of patients, {usual.val_share} by default")
        parser.add_argument("--test", type=float, help=f"share of patients, {usual.test_share} by default")
        parser.add_argument("--seed", type=int, help="of the draw")
        parser.add_argument(
            "--likeness", type=float, help="cosine from which images are near-duplicates, kept together"
        )
        parser.add_argument("--show", action="store_true", help="place nobody, say how it stands")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Place, and say how many stand where."""
        try:
            project = project_called(options["project"])
        except UnknownProjectError as error:
            raise CommandError(str(error)) from error
        if not options["show"]:
            self.place(project, options)
        for row in part_rows(project):
            self.stdout.write(f"{row.label:12} {row.patients:8} patients {row.cases:8} cases")
        split = split_of(project.pk)
        for numbers in split.figures.get("crossing", []) if split else []:
            told = ", ".join(map(str, numbers))
            self.stdout.write(f"near-duplicates on two sides, placed before that was known: cases {told}")

    def place(self, project: Project, options: dict[str, Any]) -> None:
        """Ask for the job and do it in this process.

        raises: CommandError.
        """
        try:
            job = request_split(project=project, wanted=wanted(project, options), by=None, now=timezone.now())
        except RefusedError as error:
            raise CommandError(str(error)) from error
        run(job.pk)
        job.refresh_from_db()
        if job.state == State.FAILED:
            raise CommandError(job.error)
        if job.state != State.DONE:
            self.stdout.write("a worker has taken the job: --show says later how it stands")


def wanted(project: Project, options: dict[str, Any]) -> Wanted:
    """Take what is named; the rest stays as the project has it."""
    split = split_of(project.pk) or Wanted()
    given = {
        "val_share": options["val"],
        "test_share": options["test"],
        "seed": options["seed"],
        "likeness": options["likeness"],
    }
    return Wanted(**{name: getattr(split, name) if value is None else value for name, value in given.items()})
