"""A project's learning at a glance: labels, hours, the model in use, what runs."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import User
from annotation.learning.advice import Advice
from annotation.learning.judged import champion_of
from annotation.learning.judgements import advice_for
from annotation.learning.models import ModelVersion, Policy
from annotation.learning.replays import replays_for
from annotation.learning.selectors import learning_project, models_for, policy_of
from annotation.queue.selectors import queue_overview
from annotation.readings.effort import spent_hours
from annotation.readings.selectors import labels_by_stream
from jobs.models import Job
from jobs.selectors import last_failed, open_jobs


@dataclass(frozen=True)
class Glance:
    """What the console shows first. labels: by stream; cases: by state of the queue.

    until_refit: readings until the next model. active: what the newest replay says of active against random.
    """

    labels: dict[str, int]
    cases: dict[str, int]
    spent_hours: float
    budget_hours: float | None
    until_refit: int
    champion: ModelVersion | None
    advice: Advice
    active: list[str]
    running: list[Job]
    failed: Job | None


def glance_for(user: User, project_id: UUID) -> Glance:
    """Look at a project's learning.

    raises: Project.DoesNotExist, ForbiddenError to readers.
    """
    project = learning_project(user, project_id)
    labels, policy = labels_by_stream(project.pk), policy_of(user, project.pk)
    replayed = replays_for(user, project.pk).first()
    scopes = [project.pk, project.dataset_id]
    return Glance(
        labels=labels,
        cases=queue_overview(user, project.pk),
        spent_hours=spent_hours(project.pk),
        budget_hours=policy.budget_hours,
        until_refit=until_refit(policy, labels["pool"], newest_fitted(user, project.pk)),
        champion=champion_of(user, project.pk),
        advice=advice_for(user, project.pk),
        active=replayed.result["verdict"][:2] if replayed else [],
        running=list(open_jobs(scopes).order_by("-state", "created_at")),
        failed=last_failed(scopes),
    )


def newest_fitted(user: User, project_id: UUID) -> ModelVersion | None:
    """Find the version that was fitted last."""
    return models_for(user, project_id).filter(origin=ModelVersion.Origin.REFIT).first()


def until_refit(policy: Policy, labels: int, newest: ModelVersion | None) -> int:
    """Count the readings until the next model; labels: of the pool."""
    learned = newest.label_count if newest else 0
    return max(0, policy.refit_every - (labels - learned))
