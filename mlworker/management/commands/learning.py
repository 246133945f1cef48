"""`manage.py learning PROJECT [SUBJECT]`: what the ML console shows, and what it asks for, at a shell."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import Role, User
from annotation.learning.drifts import request_drift
from annotation.learning.judged import request_comparison
from annotation.learning.maps import request_map
from annotation.learning.services import request_retrain, set_policy
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import UnknownProjectError, project_called, role_in
from annotation.queue.agreement import request_agreement
from annotation.queue.label_quality import request_check
from annotation.queue.mistakes import READ_AGAIN, reread_mistakes
from annotation.queue.rereads import LISTS, Batch, Listed, gather, numbers_of
from annotation.queue.rules import LARGEST_BATCH
from jobs.models import Job, State
from mlworker.console import SUBJECTS, settings_of, version_of
from mlworker.console_words import WORDS
from mlworker.runtime import run

# What --ask has a worker do, by subject; the model's number is for mistakes alone.
ASKED: Final[Mapping[str, Callable[[Project], Job]]] = {
    "summary": lambda project: request_retrain(project=project),
    "agreement": lambda project: request_agreement(project=project, by=None),
    "labels": lambda project: request_check(project=project, by=None),
    "drift": lambda project: request_drift(project=project, by=None),
    "map": lambda project: request_map(project=project, by=None),
}
HELP: Final = {
    "summary": "labels, hours, the model in use, what runs; --ask: a new model and ranking",
    "policy": "how queue and models are driven; --set NAME=VALUE changes it",
    "advice": "whether more labels pay",
    "curve": "how models did on the audit stream",
    "agreement": "how readers agree; --ask measures anew",
    "labels": "labels worth a second look; --ask checks anew",
    "drift": "how new images differ from labelled ones; --ask measures anew",
    "mistakes": "what a model gets wrong on the audit stream; --ask judges it",
    "map": "maps of the project's vectors; --ask draws anew",
    "anchoring": "what suggestions do to readers",
    "reread": "put a list of cases at the front of the queue, for another reader",
}


class Command(BaseCommand):
    """Shows a project's learning, asks workers for more of it, sets its policy, has lists read again."""

    help = (
        "Show how a project learns: summary, policy, advice, curve, agreement, labels, drift, mistakes, map."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare subjects and acts."""
        parser.add_argument("project", help="name or id of the project")
        parser.set_defaults(subject="summary", ask=False, here=False, json=False)
        subjects = parser.add_subparsers(dest="subject")
        for name, words in HELP.items():
            one = subjects.add_parser(name, help=words)
            one.add_argument("--json", action="store_true", help="print JSON")
            if name in ASKED or name == "mistakes":
                one.add_argument("--ask", action="store_true", help="ask a worker for it first")
                one.add_argument("--here", action="store_true", help="with --ask: do it in this process")
            OWN.get(name, nothing_more)(one)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        raises: CommandError in words.
        """
        subject = options["subject"] or "summary"
        try:
            project = project_called(options["project"])
            if subject == "reread":
                self.reread(project, options)
                return
            if options.get("set"):
                set_policy(project=project, by=None, **settings_of(options["set"]))
            if options["ask"] and not self.asked(project, subject, options):
                return
            self.show(subject, SUBJECTS[subject](project, options), options)
        except (UnknownProjectError, RefusedError) as error:
            raise CommandError(str(error)) from None

    def asked(self, project: Project, subject: str, options: dict[str, Any]) -> bool:
        """Ask for what the subject shows. returns: whether it is done, so that there is something to show.

        raises: CommandError where it failed.
        """
        job = request_judging(project, options) if subject == "mistakes" else ASKED[subject](project)
        if options["here"]:
            run(job.pk)
            job.refresh_from_db()
        if job.state == State.FAILED:
            raise CommandError(job.error)
        if job.state != State.DONE:
            self.show("job", {"job": str(job.pk), "state": job.state}, options)
        return job.state == State.DONE

    def reread(self, project: Project, options: dict[str, Any]) -> None:
        """Make a query batch of a list, in the name of one of the project's ML staff."""
        by, now = staff_called(project, options["by"]), timezone.now()
        if options["list"] == "mistakes":
            shown = SUBJECTS["mistakes"](project, MISTAKES | {"most": options["most"] // 2 or 1})
            numbers = [one["number"] for one in shown["cases"]]
            version = version_of(project, None)
            made = reread_mistakes(version=version, numbers=numbers, by=by, now=now).gathered
        else:
            numbers = numbers_of(by, project.pk, Listed(options["list"], options["most"]))
            made = gather(project=project, batch=Batch(numbers, READ_AGAIN, again=True), by=by, now=now)
        size = made.batch.size if made.batch else 0
        self.show("batch", {"size": size, "left_out": dict(made.left_out)}, options)

    def show(self, subject: str, rows: dict[str, Any], options: dict[str, Any]) -> None:
        """Print rows as JSON, or in words."""
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=1, cls=DjangoJSONEncoder, ensure_ascii=False))
            return
        for line in OTHER[subject](rows) if subject in OTHER else WORDS[subject](rows):
            self.stdout.write(line)


MISTAKES: Final = {"model": None, "truth": "", "thought": "", "site": "", "scanner": ""}
OTHER: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "job": lambda rows: [f"{rows['job']} {rows['state']}"],
    "batch": lambda rows: [
        f"{rows['size']} cases at the front of the queue",
        *(f"left out: {count} {why}" for why, count in rows["left_out"].items()),
    ],
}


def request_judging(project: Project, options: dict[str, Any]) -> Job:
    """Ask for a model to be judged: its mistakes are listed by that."""
    number = version_of(project, options["model"]).number
    return request_comparison(project=project, numbers=[number], by=None)


def staff_called(project: Project, name: str) -> User:
    """Find one of a project's ML staff.

    raises: CommandError.
    """
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None or role_in(found, project.pk) != Role.ML_STAFF:
        raise CommandError(f"{name} is not of the project's ML staff")
    return found


def of_policy(parser: ArgumentParser) -> None:
    """Take settings."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one; none empties it"
    )


def of_curve(parser: ArgumentParser) -> None:
    """Take a metric."""
    parser.add_argument("--metric", default="balanced_accuracy")


def of_mistakes(parser: ArgumentParser) -> None:
    """Take a model and filters."""
    parser.add_argument("--model", type=int, help="its number; without it the one in use")
    parser.add_argument("--most", type=int, default=20, help="cases that are listed")
    for name in ("truth", "thought", "site", "scanner"):
        parser.add_argument(f"--{name}", default="", help=f"of this {name} alone")


def of_reread(parser: ArgumentParser) -> None:
    """Take a list, and who asks."""
    parser.add_argument("list", choices=[*LISTS, "mistakes"])
    parser.add_argument("--by", required=True, metavar="NAME", help="who of the ML staff asks")
    parser.add_argument("--most", type=int, default=50, help=f"cases, {LARGEST_BATCH} at most")


def nothing_more(_parser: ArgumentParser) -> None:
    """Take nothing more."""


OWN: Final = {"policy": of_policy, "curve": of_curve, "mistakes": of_mistakes, "reread": of_reread}
