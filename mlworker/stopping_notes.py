"""What a refit notes for the advice on when to stop: stability, the pool's uncertainty, a forecast."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.learning.files import content_of
from annotation.learning.judgements import METRIC, judged_curve
from annotation.learning.models import Encoder, ModelVersion
from annotation.projects.models import Project
from mlworker.evaluation.stopping import forecast, kappa, uncertainty
from mlworker.heads.artefact import kind_of
from mlworker.predicting import predictions
from mlworker.targets import Target, likeliest

Floats = NDArray[np.floating]
LOOKED_AT = 20_000


@dataclass(frozen=True)
class Fitted:
    """What a fit was: of which project, on which vectors and labels, and how it did."""

    project: Project
    encoder: Encoder
    target: Target
    labels: int
    metrics: Mapping[str, Any]


def noted(fitted: Fitted, predict: Callable[[Floats], Floats], unread: Floats) -> dict[str, Any]:
    """Compare a new model with the one before it on unread cases, and foresee what the next labels bring.

    predict: (case, feature) → (case, decision, class), before any temperature, which moves while audit labels
    are few. unread: (case, feature); of more than 20,000 every so many-th is looked at.
    """
    sample = unread[:: max(1, -(-len(unread) // LOOKED_AT))]
    found: dict[str, Any] = {}
    if len(sample):
        now = predict(sample)
        found["uncertainty"] = round(uncertainty(now), 4)
        before = model_before(fitted)
        if before is not None:
            was, told = likeliest(predictions(before, sample)), likeliest(now)
            found["stability"] = round(kappa(was, told, fitted.target.classes), 4)
    foreseen = forecast(curve_with(fitted))
    return found if foreseen is None else found | {"forecast": rounded(asdict(foreseen))}


def curve_with(fitted: Fitted) -> list[dict[str, float]]:
    """Give the learning curve so far, with the new model's point where it could be judged."""
    curve, figure = judged_curve(fitted.project.pk), fitted.metrics.get(METRIC)
    return curve if figure is None else [*curve, {"labels": float(fitted.labels)} | dict(figure)]


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Shorten numbers for a row."""
    return {key: round(value, 4) for key, value in values.items()}


def model_before(fitted: Fitted) -> ModelVersion | None:
    """Find the newest model on the same vectors and classes that knew fewer labels."""
    models = fitted.project.models.filter(encoder=fitted.encoder, label_count__lt=fitted.labels)
    earlier = models.order_by("-number").first()
    return earlier if earlier is not None and same_question(earlier, fitted.target) else None


def same_question(model: ModelVersion, target: Target) -> bool:
    """Whether a version learned these choices, and as this kind of question."""
    was = kind_of(content_of(model.artefact_name, digest=model.artefact_digest))
    return tuple(model.classes) == target.choices and was == target.kind
