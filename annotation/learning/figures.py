"""What measured figures are called in plain words, and which of them are of one answer. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

OVERALL: Final = {
    "balanced_accuracy": "Balanced accuracy",
    "worst_class_recall": "Least recognised answer",
    "macro_auc": "Area under the ROC curve, mean over answers",
    "macro_f1": "F1, mean over answers",
    "quadratic_kappa": "Agreement of grades, quadratic κ",
    "calibration_error": "Expected calibration error",
}
OF_ANSWER: Final = {
    "prevalence": "Share of all cases",
    "recall": "Recognised",
    "balanced": "Balanced accuracy",
    "auc": "Area under the ROC curve",
}
Figures = Mapping[str, Mapping[str, float]]


def named(name: str) -> str:
    """Give a figure's words; one without words is told by its name."""
    return OVERALL.get(name, name.replace("_", " ").capitalize())


def overall(metrics: Figures) -> dict[str, Any]:
    """Keep what is said of all answers and scanners together."""
    return {name: dict(one) for name, one in metrics.items() if ":" not in name}


def by_answer(metrics: Figures, values: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Sort what is said of each answer: {answer: {"prevalence", "recall", …}}, as far as it is known."""
    return {
        value: {kind: dict(metrics[f"{kind}:{value}"]) for kind in OF_ANSWER if f"{kind}:{value}" in metrics}
        for value in values
    }


def kinds_in(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Give the words of the figures that any answer has, in the order of a table's columns."""
    there = {kind for one in answers.values() for kind in one}
    return {kind: words for kind, words in OF_ANSWER.items() if kind in there}
