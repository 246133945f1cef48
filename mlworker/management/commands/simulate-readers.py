"""`manage.py simulate-readers`: what a strategy is worth, shown by readers whose answers are known."""

import json
import logging
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.learning import runs, services
from annotation.learning.models import Policy
from annotation.projects.models import Project
from annotation.projects.selectors import UnknownProjectError, project_called, question_learned
from mlworker.simulation import arms, curves, stack
from mlworker.simulation.accounts import read_by_people
from mlworker.simulation.truth import Answer, TruthError, answers_of, judging_cases, table_of
from mlworker.simulation.waiting import MachineError


class Command(BaseCommand):
    """Drive the real interface with simulated readers: a strategy beside the same budget spent at random."""

    help = (
        "Read a project's cases with simulated readers over HTTP, by a strategy and at random, and compare. "
        "Without --url the system is started for the time being; where `make run` is up, give its address."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is read, by whom, how much."""
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument(
            "--truth", required=True, type=Path, help="table path,label (or labels) of the delivery"
        )
        parser.add_argument("--readers", type=int, default=3)
        parser.add_argument("--budget", type=int, default=300, help="readings in each arm")
        parser.add_argument("--strategy", default="power_margin", choices=Policy.Strategy.values)
        parser.add_argument("--url", default="", help="address of the running system")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--seconds-per-reading", type=float, default=0.0)
        parser.add_argument("--out", type=Path, help="write the curves as JSON")
        parser.add_argument("--force", action="store_true", help="also where people have read")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run both arms and report.

        raises: CommandError naming what is missing.
        """
        logging.getLogger("httpx").setLevel(logging.WARNING)  # one line a request otherwise
        try:
            project = project_called(options["project"])
            refuse_people_s_work(project, force=options["force"])
            table = table_of(options["truth"], question_learned(project.pk))
            answers_of(project, table)
            with stack.running(options["url"]) as url:
                result = self.compare(project, table, url, options)
        except (TruthError, MachineError, stack.NotRunningError, UnknownProjectError, OSError) as error:
            raise CommandError(str(error)) from error
        self.report(project, result, options)

    def compare(
        self, project: Project, table: dict[str, Answer], url: str, options: dict[str, Any]
    ) -> dict[str, list[curves.CurvePoint]]:
        """Spend the budget in both arms; the models of each, judged on the same kind of cases."""
        effort = arms.Effort(
            url, options["readers"], options["budget"], options["seconds_per_reading"], options["seed"]
        )
        arms.ready(project, self.say)
        twin = arms.sibling(project)
        policy = services.policy_for(project)
        found = {}
        for name, arm, strategy in (
            ("strategy", project, options["strategy"]),
            ("random", twin, Policy.Strategy.RANDOM),
        ):
            answers = answers_of(arm, table)
            arms.prepare(arm, strategy=strategy, seed=options["seed"], like=policy, told=self.say)
            arms.spend(arm, answers, effort, self.say)
            found[name] = curves.curve(arm, judging_cases(arm)[1], answers)
        return found

    def report(
        self, project: Project, found: dict[str, list[curves.CurvePoint]], options: dict[str, Any]
    ) -> None:
        """Print the table, keep the result in the database and, where asked, in a file."""
        judged_on, cases = judging_cases(project)
        result = {
            "strategy": options["strategy"],
            "budget": options["budget"],
            "readers": options["readers"],
            "seed": options["seed"],
            "judged_on": judged_on,
            "judging_cases": len(cases),
            "metric": "balanced_accuracy",
            "area": {name: curves.area(points, options["budget"]) for name, points in found.items()},
            "curves": curves.as_rows(found),
        }
        keep(project, result)
        if options["out"]:
            options["out"].write_text(json.dumps({"project": project.name, **result}, indent=1))
        self.stdout.write(f"Balanced accuracy on the {judged_on} ({len(cases)} cases), 95 % over patients")
        self.stdout.write(curves.table(options["strategy"], found))
        areas = ", ".join(
            f"{name} {value:.3f}" for name, value in result["area"].items() if value is not None
        )
        self.stdout.write(
            f"Mean height of the curve: {areas or 'too few models'}. One run: see the intervals."
        )

    def say(self, text: str) -> None:
        """Show how far it is, on one line."""
        self.stderr.write(text)


def refuse_people_s_work(project: Project, *, force: bool) -> None:
    """Keep simulated answers out of a project in which people read.

    raises: CommandError.
    """
    readings = read_by_people(project)
    if readings and not force:
        raise CommandError(
            f"{project.name} has {readings} readings by people: simulated answers would be mixed into them. "
            "Import the delivery again under another name, or give --force"
        )


def keep(project: Project, result: dict[str, Any]) -> None:
    """Store a comparison where ML staff see it."""
    facts = {name: result[name] for name in ("strategy", "budget", "readers", "seed")}
    new = runs.NewRun(kind="simulation", project_id=project.pk, settings=facts)
    run = runs.start_run(job_id=uuid.uuid4(), new=new, now=timezone.now())
    runs.finish_run(job_id=run.job_id, result=result)
