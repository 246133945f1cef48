"""`manage.py models …`: versions, comparisons, promotion and the way back, on the command line."""

import json
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from annotation.learning import promotion
from annotation.learning.judged import checked_numbers, keep_comparison, key_of
from annotation.learning.models import Encoder
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import UnknownProjectError, project_called
from annotation.projects.services import record_act
from mlworker.judging import OtherQuestionError, judged_side_by_side


class Command(BaseCommand):
    """Lists a project's model versions; compares some; changes the encoder, or goes back."""

    help = "List a project's models, compare them, promote an encoder or roll back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        parser.add_argument("--project", required=True, help="name or id of the project")
        parser.add_argument("--json", action="store_true", help="print JSON")
        acts = parser.add_subparsers(dest="act")
        comparing = acts.add_parser("compare", help="judge models on the same audit cases")
        comparing.add_argument("numbers", type=int, nargs="+", help="numbers of the models")
        promoting = acts.add_parser("promote", help="take an encoder into use")
        promoting.add_argument("encoder", help="beginning of the encoder's digest")
        acts.add_parser("rollback", help="go back to the encoder before")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        raises: CommandError in words.
        """
        act = {"compare": self.compare, "promote": self.promote, "rollback": self.roll_back}
        try:
            project = project_called(options["project"])
            act.get(options["act"], self.listed)(project, options)
        except (UnknownProjectError, RefusedError, OtherQuestionError) as error:
            raise CommandError(str(error)) from None

    def listed(self, project: Project, options: dict[str, Any]) -> None:
        """List versions, the newest first."""
        rows = [
            {
                "number": one.number,
                "origin": one.origin,
                "labels": one.label_count,
                "encoder": one.encoder.digest[:12],
                "metrics": one.evaluation.metrics,
                "reason": one.evaluation.reason,
            }
            for one in project.models.select_related("encoder", "evaluation").order_by("-number")
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=1))
            return
        for row in rows:
            score = row["metrics"].get("balanced_accuracy")
            said = (
                f"{score['value']:.3f} ({score['low']:.3f} – {score['high']:.3f})" if score else row["reason"]
            )
            self.stdout.write(f"{row['number']:>5}  {row['origin']:<6} {row['labels']:>6} labels  {said}")

    def compare(self, project: Project, options: dict[str, Any]) -> None:
        """Judge models now, and keep what was found as the page does."""
        numbers = checked_numbers(project, options["numbers"])
        found = judged_side_by_side(project, numbers, lambda _part, words: self.stderr.write(words))
        with transaction.atomic():
            keep_comparison(project=project, found=found, job_id=uuid.uuid4(), now=timezone.now())
            record_act("models.compare", project.pk, by=None, details={"models": key_of(numbers)})
        if options["json"]:
            self.stdout.write(json.dumps(found.figures, indent=1))
            return
        for one in found.figures["models"]:
            score = one["metrics"].get("balanced_accuracy", {}).get("value")
            said = one["reason"] if score is None else f"balanced accuracy {score:.3f}"
            self.stdout.write(f"model {one['number']}: {said}, on {found.case_count} cases")
        for one in found.figures["differences"]:
            if "balanced_accuracy" in one:
                gap = one["balanced_accuracy"]
                said = f"{gap['difference']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"
                self.stdout.write(f"model {one['number']} less model {one['against']}: {said}")

    def promote(self, project: Project, options: dict[str, Any]) -> None:
        """Ask for the images to be encoded, and the project to change over."""
        named = Encoder.objects.filter(dataset=project.dataset, digest__startswith=options["encoder"])
        found = list(named[:2])
        if not found or len(options["encoder"]) < 6:
            raise CommandError(
                f"there is no encoder {options['encoder']}: give six letters of a digest or more"
            )
        if len(found) > 1:
            raise CommandError(f"several encoders begin with {options['encoder']}: give more of the digest")
        encoder = found[0]
        job = promotion.request_encoder(project=project, encoder=encoder, by=None)
        self.stdout.write(f"{encoder.name}: job {job.pk} encodes the images; then the project changes over.")

    def roll_back(self, project: Project, _options: dict[str, Any]) -> None:
        """Go back to the encoder before."""
        made = promotion.roll_back(project=project, by=None, now=timezone.now())
        self.stdout.write(f"Back on {made.encoder.name}.")
