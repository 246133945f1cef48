"""What the learning page tells of answers and scanners: the newest judged model on the audit stream."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.api.pages.access import Visit
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import models_for
from annotation.projects.selectors import question_learned

Figure = Mapping[str, float]
WORST = "worst_class_recall"
PREVALENCE, RECALL, AREA, SCANNER = "prevalence:", "recall:", "auc:", "scanner:"


@dataclass(frozen=True)
class Answer:
    """One answer: how frequent it is, how much of it is recognised, and the area under its ROC curve.

    recall, auc: none where the stream does not have it; auc: where several answers can be given.
    """

    label: str
    prevalence: Figure
    recall: Figure | None
    auc: Figure | None


@dataclass(frozen=True)
class Answers:
    """A model's figures by answer and by scanner, and what its percentages are worth."""

    model_number: int
    cases: int
    classes: list[Answer]
    scanners: list[tuple[str, Figure]]
    worst: Figure | None
    calibration: Figure | None
    several: bool


def answers_of(visit: Visit) -> Answers | None:
    """Collect the figures of the newest model in use; nothing while no model could be judged by answer."""
    models = models_for(visit.user, visit.project.pk).filter(origin=ModelVersion.Origin.REFIT)
    model = models.filter(evaluation__metrics__has_key=WORST).first()
    if model is None:
        return None
    metrics: Mapping[str, Figure] = model.evaluation.metrics
    question = question_learned(visit.project.pk)
    return Answers(
        model_number=model.number,
        cases=model.evaluation.case_count,
        classes=[
            Answer(
                question.words_of(value),
                metrics[PREVALENCE + value],
                metrics.get(RECALL + value),
                metrics.get(AREA + value),
            )
            for value in model.classes
            if PREVALENCE + value in metrics
        ],
        scanners=[
            (name.removeprefix(SCANNER), one) for name, one in metrics.items() if name.startswith(SCANNER)
        ],
        worst=metrics.get(WORST),
        calibration=metrics.get("calibration_error"),
        several=question.takes_several,
    )
