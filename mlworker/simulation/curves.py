"""Learning curves of a project's models on cases with known answers, and the comparison in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np

from annotation.learning.files import content_of
from annotation.learning.models import Encoder, ModelVersion
from annotation.projects.models import Case, Project
from annotation.projects.selectors import question_learned
from annotation.queue.models import Ranking
from annotation.readings.intervals import Estimate
from mlworker.driving import target_of
from mlworker.evaluation.intervals import OVERALL, estimate, too_few
from mlworker.heads.artefact import unpacked
from mlworker.numbering import numbered
from mlworker.simulation.truth import Answer
from mlworker.vectors import store_of


@dataclass(frozen=True)
class CurvePoint:
    """A model: readings spent until then (audit stream included), labels it learned from, how it does."""

    readings: int
    labels: int
    value: float
    low: float
    high: float


def curve(project: Project, cases: Sequence[Case], answers: dict[UUID, Answer]) -> list[CurvePoint]:
    """Balanced accuracy of each model on these cases, oldest first; interval 95 %, over patients."""
    spent = dict(
        Ranking.objects.filter(project=project, model__isnull=False).values_list("model", "label_count")
    )
    models = project.models.select_related("encoder").order_by("number")
    return [
        CurvePoint(spent[model.pk], model.label_count, found.value, found.low, found.high)
        for model in models
        if model.pk in spent and (found := judged_on(model, cases, answers)) is not None
    ]


def judged_on(model: ModelVersion, cases: Sequence[Case], answers: dict[UUID, Answer]) -> Estimate | None:
    """Balanced accuracy of one model; None where the cases cannot judge one."""
    rows, kept = vectors_at(model.encoder, cases)
    question = question_learned(model.project_id)
    labels = target_of(question).labels([question.chosen(answers[case.pk]) or () for case in kept])
    patients = numbered(case.patient_id for case in kept)
    if too_few(labels, patients):
        return None
    ensemble, _ = unpacked(content_of(model.artefact_name, digest=model.artefact_digest))
    probabilities = ensemble.mean_probabilities(rows)
    return estimate(OVERALL["balanced_accuracy"], probabilities, labels, patients, seed=0)


def vectors_at(encoder: Encoder, cases: Sequence[Case]) -> tuple[np.ndarray, list[Case]]:
    """Vectors of those cases that have one."""
    store = store_of(encoder)
    rows = store.rows([case.series.content_digest for case in cases])
    kept = [case for case, row in zip(cases, rows.tolist(), strict=True) if row >= 0]
    return store.vectors(rows[rows >= 0]), kept


def area(points: Sequence[CurvePoint], budget: int) -> float | None:
    """Mean height of the curve from its first model to the budget (trapezium rule); None with one point."""
    if len(points) < 2:
        return None
    x = np.array([point.readings for point in points], dtype=float)
    y = np.array([point.value for point in points])
    inside = x <= budget
    width = float(x[inside][-1] - x[inside][0])
    return float(np.trapezoid(y[inside], x[inside]) / width) if width else None


def table(strategy: str, arms: dict[str, list[CurvePoint]]) -> str:
    """Both curves side by side, for the terminal."""
    values = {name: {point.readings: point for point in points} for name, points in arms.items()}
    readings = sorted({number for one in values.values() for number in one})
    head = f"{'readings':>8}  {strategy:>24}  {'random':>24}"
    lines = [
        f"{number:>8}  {_cell(values['strategy'].get(number)):>24}  {_cell(values['random'].get(number)):>24}"
        for number in readings
    ]
    return "\n".join([head, *lines])


def _cell(point: CurvePoint | None) -> str:
    return "–" if point is None else f"{point.value:.3f} ({point.low:.3f}–{point.high:.3f})"


def as_rows(arms: dict[str, list[CurvePoint]]) -> dict[str, list[dict[str, Any]]]:
    """Plain values for JSON and the database."""
    return {name: [asdict(point) for point in points] for name, points in arms.items()}
