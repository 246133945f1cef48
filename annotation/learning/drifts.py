"""Drift of new images, asked for and kept; and trainings that a policy's triggers begin."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.judged_models import Drift
from annotation.learning.models import Policy, Snapshot
from annotation.learning.rules import Since, training_is_due
from annotation.learning.selectors import learning_project
from annotation.learning.training import TrainingSettings, request_training
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from annotation.projects.splits import unlearnable_parts
from annotation.readings.intervals import Estimate
from annotation.readings.models import ReferenceStandard
from jobs.models import OPEN, Job, Lane, State

log = logging.getLogger(__name__)
NEWEST: Final = timedelta(days=1)
# A training that could not be asked for, or failed, is not tried again before.
REST: Final = timedelta(hours=6)


@dataclass(frozen=True)
class Sides:
    """Content digests and patients of new images, and of labelled ones that came before."""

    new: list[tuple[str, UUID]]
    labelled: list[tuple[str, UUID]]


@transaction.atomic
def request_drift(*, project: Project, by: User | None, address: str = "") -> Job:
    """Ask the light lane to measure drift; what a person asks for is audited."""
    job = ask_for_project("measure_drift", project_id=project.pk, lane=Lane.LIGHT, by=by)
    if by is not None:
        details = {"job": str(job.pk)}
        record_act("drift.measure", project.pk, by=by, details=details, address=address)
    return job


def ask_drifts(projects: list[Project]) -> None:
    """Ask for drift in the projects whose policy trains on it."""
    wanted = Policy.objects.filter(project__in=projects, drift_limit__isnull=False)
    for policy in wanted.select_related("project"):
        request_drift(project=policy.project, by=None)


def keep_drift(
    *, project: Project, sides: Sides, found: Estimate | None, reason: str, job_id: UUID, now: datetime
) -> Drift:
    """Keep what a job found, or why it could not; the same job again changes nothing."""
    values = {
        "project": project,
        "value": found.value if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "new_images": len(sides.new),
        "labelled_images": len(sides.labelled),
        "reason": reason,
        "created_at": now,
    }
    kept, _ = Drift.objects.get_or_create(job_id=job_id, defaults=values)
    return kept


def newest_drift(user: User, project_id: UUID) -> Drift | None:
    """Find the newest measurement.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    return Drift.objects.filter(project=learning_project(user, project_id)).first()


def sides_of(project_id: UUID) -> Sides:
    """List the images of the newest day of imports, and labelled ones from before it; for machine work."""
    cases = Case.objects.filter(project=project_id).exclude(series__content_digest="")
    newest = cases.order_by("-created_at").values_list("created_at", flat=True).first()
    if newest is None:
        return Sides([], [])
    labelled = cases.filter(Exists(ReferenceStandard.objects.filter(case=OuterRef("pk"))))
    columns = ("series__content_digest", "patient_id")
    return Sides(
        list(cases.filter(created_at__gt=newest - NEWEST).order_by("number").values_list(*columns)),
        list(labelled.filter(created_at__lte=newest - NEWEST).order_by("number").values_list(*columns)),
    )


def ask_trainings(now: datetime) -> int:
    """Ask for the trainings whose trigger has come, whatever becomes of one of them. returns: how many."""
    set_triggers = Q(train_labels__isnull=False) | Q(train_days__isnull=False) | Q(drift_limit__isnull=False)
    policies = Policy.objects.filter(set_triggers, project__deletion=None).select_related("project")
    return sum(begun(policy, now) for policy in policies)


def begun(policy: Policy, now: datetime) -> bool:
    """Begin a project's training where it is due; what cannot be asked for rests."""
    try:
        if rests(policy.project_id, now) or not (why := due(policy, now)):
            return False
        ask_training(policy.project, why, now)
    except RefusedError as error:
        log.info("project %s: a training is due, and cannot be: %s", policy.project_id, error)
    except Exception:
        log.exception("project %s: a training could not be asked for", policy.project_id)
    else:
        return True
    cache.set(refused_key(policy.project_id), now, REST.total_seconds())
    return False


def rests(project_id: UUID, now: datetime) -> bool:
    """Whether a training is on its way, or one was asked for or refused too lately."""
    last = trainings_of(project_id).first()
    if last is not None and (last.state in OPEN or last.created_at > now - REST):
        return True
    refused: datetime | None = cache.get(refused_key(project_id))
    return refused is not None and refused > now - REST


def due(policy: Policy, now: datetime) -> str:
    """Say why a project's encoder is to be trained now, or nothing."""
    return training_is_due(
        since_last(policy.project, now),
        labels=policy.train_labels,
        days=policy.train_days,
        drift_limit=policy.drift_limit,
    )


@transaction.atomic
def ask_training(project: Project, why: str, now: datetime) -> None:
    """Ask for a training that a trigger wants.

    raises: RefusedError for too few labels, and where the same labels were learned from already.
    """
    job = request_training(project=project, settings=TrainingSettings(), by=None, now=now)
    done = trainings_of(project.pk).filter(state=State.DONE)
    if done.filter(arguments__snapshot_id=job.arguments["snapshot_id"]).exists():
        raise RefusedError("the same labels were learned from already")
    record_act("training.trigger", project.pk, by=None, details={"why": why})


def since_last(project: Project, now: datetime) -> Since:
    """Say what happened since the last training that ended well; labels count where it may learn them."""
    question = question_learned(project.pk)
    learnable = ReferenceStandard.objects.filter(
        case__project=project, case__stream=Case.Stream.POOL, answers__has_key=question.key
    ).exclude(case__part__in=unlearnable_parts(project.pk))
    learned, began = 0, project.created_at
    last = trainings_of(project.pk).filter(state=State.DONE).first()
    if last is not None:
        snapshot = Snapshot.objects.filter(pk=last.arguments.get("snapshot_id")).first()
        learned, began = (snapshot.label_count if snapshot else 0), last.created_at
    drift = Drift.objects.filter(project=project, created_at__gt=began).first()
    low = None if drift is None else drift.low
    return Since(learnable.count() - learned, (now - began).total_seconds() / 86_400, low)


def trainings_of(project_id: UUID) -> QuerySet[Job]:
    """List a project's trainings, the newest first."""
    return Job.objects.filter(name="train", scope_id=project_id).order_by("-created_at")


def refused_key(project_id: UUID) -> str:
    """Name the note of when a training was refused last."""
    return f"training-refused:{project_id}"
