"""What a fit notes about when to stop, and the advice that follows from it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from annotation.learning.advice import Advice, Judged, advice_of
from annotation.learning.models import Evaluation, ModelVersion
from annotation.learning.selectors import learning_project

METRIC = "balanced_accuracy"
LOOKED_AT = 200


def note_advice(*, model_id: UUID, noted: Mapping[str, Any]) -> None:
    """Keep what a fit found out beside its evaluation."""
    Evaluation.objects.filter(pk=model_id).update(advice=dict(noted))


def judged_curve(project_id: UUID) -> list[dict[str, float]]:
    """Points of the learning curve so far, oldest first; for machine work."""
    evaluations = in_use(project_id).filter(metrics__has_key=METRIC)
    rows = evaluations.order_by("model__number").values_list("model__label_count", "metrics")
    return [
        {"labels": labels} | {key: float(metrics[METRIC][key]) for key in ("value", "low", "high")}
        for labels, metrics in rows
    ]


def advice_for(user: User, project_id: UUID) -> Advice:
    """Say whether more labels pay, from what the newest models noted."""
    project = learning_project(user, project_id)
    newest = in_use(project.pk).order_by("-model__number")
    rows = newest.values_list("model__label_count", "metrics", "advice")[:LOOKED_AT]
    return advice_of([Judged(labels, width_of(metrics), noted) for labels, metrics, noted in reversed(rows)])


def in_use(project_id: UUID) -> QuerySet[Evaluation]:
    """List evaluations of versions that were in use; candidates of a training never were."""
    return Evaluation.objects.filter(model__project=project_id, model__origin=ModelVersion.Origin.REFIT)


def width_of(metrics: Mapping[str, Any]) -> float | None:
    """Width of the metric's 95 % interval."""
    found = metrics.get(METRIC)
    return None if not found else float(found["high"]) - float(found["low"])
