"""A project's learning at a glance, for programs: what the console shows first."""

from dataclasses import asdict
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from annotation.api.learning import AdviceView
from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.learning.models import ModelVersion
from annotation.queue.glance import glance_for


class InUseView(Schema):
    """The model in use; metrics: value, low, high."""

    id: UUID
    number: int
    labels: int
    metrics: dict[str, dict[str, float]]


class RunningView(Schema):
    """A job that waits, runs or failed last."""

    id: UUID
    name: str
    state: str
    progress: float
    message: str
    error: str


class GlanceView(Schema):
    """Labels by stream, cases by state of the queue, hours, the model in use, what runs.

    until_refit: readings until the next model. active: what the newest replay says of active against random.
    failed: the job that ended last, if it failed.
    """

    labels: dict[str, int]
    cases: dict[str, int]
    spent_hours: float
    budget_hours: float | None
    until_refit: int
    model: InUseView | None
    advice: AdviceView
    active: list[str]
    running: list[RunningView]
    failed: RunningView | None


router = Router(tags=["learning"])


@router.get("projects/{uuid:project_id}/learning", response={200: GlanceView, **WRITE})
def show_learning(request: HttpRequest, project_id: UUID) -> GlanceView:
    """Sum up how far a project's learning is."""
    found = glance_for(person(request), project_id)
    names = ("labels", "cases", "spent_hours", "budget_hours", "until_refit", "active")
    return GlanceView(
        model=in_use(found.champion),
        advice=AdviceView(**asdict(found.advice)),
        running=[RunningView.from_orm(one) for one in found.running],
        failed=RunningView.from_orm(found.failed) if found.failed else None,
        **{name: getattr(found, name) for name in names},
    )


def in_use(model: ModelVersion | None) -> InUseView | None:
    """Describe the model in use."""
    if model is None:
        return None
    return InUseView(
        id=model.pk, number=model.number, labels=model.label_count, metrics=model.evaluation.metrics
    )
