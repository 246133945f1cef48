"""`manage.py replay`: which strategy pays on a labelled set, measured before anyone reads a case."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from annotation.learning import services
from annotation.learning.models import Policy
from annotation.projects.selectors import UnknownProjectError, project_called
from mlworker.replay.settings import ALL, DEFAULT, policies_of
from mlworker.replay.study import Question, Told, answer
from mlworker.replay.worlds import World, WorldError


class Command(BaseCommand):
    """Read a labelled set again by each strategy, through the code that production runs."""

    help = (
        "Replay strategies on a folder of labelled images (labels.csv or a MedMNIST archive), or on a "
        "project's own labels: learning curves with intervals, what reaches the target when, a verdict."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is read, by what, how often."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--data", type=Path, help="folder with labels.csv (path, label, split), or .npz")
        source.add_argument("--project", help="name or id of a project with labels")
        parser.add_argument(
            "--strategies",
            default=f"{DEFAULT},random",
            help=f"names with commas; {DEFAULT}: the policy's own; {ALL}: every one",
        )
        parser.add_argument("--seeds", type=int, default=20)
        parser.add_argument("--first-seed", type=int, default=0)
        parser.add_argument("--budget", type=int, default=200, help="readings, the audit stream's included")
        parser.add_argument("--encoder", type=Path, help="weights for --data; else those of a new project")
        parser.add_argument(
            "--judge", default="val", choices=["val", "test"], help="split of --data that judges"
        )
        parser.add_argument("--json", type=Path, dest="out", help="write everything here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay and report.

        raises: CommandError naming what is missing.
        """
        try:
            with threadpool_limits(limits=1):
                world, policy = opened(options)
                policies = policies_of(options["strategies"].split(","), policy)
                question = Question(policies, options["seeds"], options["budget"], options["first_seed"])
                with tqdm(total=100, unit="%", disable=options["verbosity"] == 0) as bar:
                    found = answer(world, question, moving(bar))
        except (WorldError, UnknownProjectError, OSError) as error:
            raise CommandError(str(error)) from error
        self.report(found, options["out"])

    def report(self, found: dict[str, Any], out: Path | None) -> None:
        """Print the table and the verdict, and keep everything where asked."""
        self.stdout.write(table(found))
        self.stdout.write("\n".join(found["verdict"]))
        if out is not None:
            out.write_text(json.dumps(found, indent=1))
            self.stdout.write(f"Written to {out}")


def opened(options: dict[str, Any]) -> tuple[World, Policy]:
    """Read the folder or the project that is replayed, and the policy that `default` names."""
    if options["project"]:
        from mlworker.replay.projects import world_of_project

        project = project_called(options["project"])
        return world_of_project(project), services.policy_for(project)
    from mlworker.replay.folders import encoded_images, read_images, world_of

    images = read_images(options["data"])
    vectors = encoded_images(images, options["encoder"])
    return world_of(images, vectors, name=options["data"].stem, judge=options["judge"]), Policy()


def moving(bar: "tqdm[Any]") -> Told:
    """Show progress on a bar."""

    def told(fraction: float, message: str) -> None:
        bar.set_description(message, refresh=False)
        bar.update(round(100 * fraction) - bar.n)

    return told


def table(found: dict[str, Any]) -> str:
    """One line a strategy."""
    head = f"{'strategy':>18}  {'mean height (95 %)':>24}  {'at the end':>10}  {'readings to target':>20}"
    return "\n".join([head, *(_line(name, one) for name, one in found["strategies"].items())])


def _line(name: str, one: dict[str, Any]) -> str:
    low, high = one["area_interval"]
    reached = one["labels_to_target"]["value"]
    words = "not reached" if reached is None else f"{reached:.0f}"
    height = f"{one['area_mean']:.3f} ({low:.3f} – {high:.3f})"
    return f"{name:>18}  {height:>24}  {one['curve'][-1][1]:>10.3f}  {words:>20}"
