"""`manage.py train --project P`: ask for a training; `--list`, `--log`, `--cancel`: follow and stop runs."""

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.learning.judged_models import RunLine
from annotation.learning.services import ask_pretrain
from annotation.learning.training import LIMITS, METHODS, MODES, RUN_JOBS, TrainingSettings, request_training
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.projects.services import record_act
from jobs.models import Job
from jobs.selectors import jobs_in
from jobs.services import cancel

SHOWN = 20


class Command(BaseCommand):
    """Asks a worker for a training of a project's encoder, or shows what became of those asked for."""

    help = (
        "Fine-tune a project's encoder on its labels (or pretrain it on images); list, follow, cancel runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare settings and acts."""
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument("--mode", choices=list(MODES), default=TrainingSettings.mode)
        parser.add_argument("--pretrain", choices=[one for one in METHODS if one != "labels"], default="")
        for name in LIMITS:
            default = getattr(TrainingSettings, name)
            parser.add_argument(f"--{name}", type=type(default), default=default)
        parser.add_argument("--flip", action="store_true")
        acts = parser.add_mutually_exclusive_group()
        acts.add_argument("--list", action="store_true", help="list the newest runs")
        acts.add_argument("--log", metavar="RUN", help="print a run's log")
        acts.add_argument("--cancel", metavar="RUN", help="stop a run")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        raises: CommandError in words.
        """
        try:
            project = project_called(options["project"])
            if options["list"]:
                self.listed(project)
            elif options["log"]:
                self.log(run_of(project, options["log"]))
            elif options["cancel"]:
                self.cancel(run_of(project, options["cancel"]))
            else:
                self.ask(project, options)
        except (UnknownProjectError, RefusedError) as error:
            raise CommandError(str(error)) from None

    def ask(self, project: Project, options: dict[str, Any]) -> None:
        """Ask a worker for a training."""
        if options["pretrain"]:
            job = ask_pretrain(
                dataset_id=project.dataset_id, minutes=options["minutes"], method=options["pretrain"]
            )
            record_act("pretraining.request", project.pk, by=None, details={"job": str(job.pk)})
        else:
            names = {one.name for one in fields(TrainingSettings)} - {"seed"}
            settings = TrainingSettings(**{name: options[name] for name in names})
            job = request_training(project=project, settings=settings, by=None, now=timezone.now())
        self.stdout.write(f"{job.pk} {job.state}")

    def listed(self, project: Project) -> None:
        """List runs, the newest first."""
        for job in runs_of(project)[:SHOWN]:
            told = job.error or job.message
            self.stdout.write(f"{job.pk}  {job.name:<13} {job.state:<9} {job.progress:>4.0%}  {told}")

    def log(self, job: Job) -> None:
        """Print the lines of a run, the oldest first."""
        for line in RunLine.objects.filter(run_id=job.pk).order_by("pk"):
            told = " ".join(f"{name}={value}" for name, value in line.values.items())
            self.stdout.write(f"{line.at:%Y-%m-%d %H:%M:%S} {line.event} {told}")

    def cancel(self, job: Job) -> None:
        """Stop a run."""
        self.stdout.write("cancelled" if cancel(job.pk) else "it had ended already")


def runs_of(project: Project) -> Any:
    """Find the trainings of a project and its data set."""
    return jobs_in([project.pk, project.dataset_id]).filter(name__in=RUN_JOBS)


def run_of(project: Project, named: str) -> Job:
    """Find one by the beginning of its id.

    raises: CommandError.
    """
    found = [job for job in runs_of(project) if str(job.pk).startswith(named)]
    if len(found) != 1:
        raise CommandError(f"{len(found)} runs begin with {named}: see --list")
    job: Job = found[0]
    return job
