"""Replays of a project's labels: asked for by ML staff, kept as runs."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.models import Policy, TrainingRun
from annotation.learning.rules import checked_replay
from annotation.learning.selectors import runs_for
from annotation.projects.models import Project
from annotation.projects.services import record_act
from jobs.models import Job, Lane

KIND = "replay"


@transaction.atomic
def request_replay(
    *, project: Project, strategies: Sequence[str], seeds: int, budget: int, by: User | None
) -> Job:
    """Ask the training lane to replay the project's labels; the waiting one is returned where there is one.

    raises: RefusedError naming the field.
    """
    known = ["default", *Policy.Strategy.values]
    checked_replay(strategies=strategies, known=known, seeds=seeds, budget=budget)
    asked = {"strategies": list(strategies), "seeds": seeds, "budget": budget}
    job = ask_for_project(KIND, project_id=project.pk, lane=Lane.TRAINING, by=by, **asked)
    record_act("replay.request", project.pk, by=by, details=asked)
    return job


def replays_for(user: User, project_id: UUID) -> QuerySet[TrainingRun]:
    """List a project's replays that have ended, newest first.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    return runs_for(user, project_id).filter(kind=KIND).exclude(result={})
