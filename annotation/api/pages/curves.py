"""What the learning page draws: the learning curve, a training's loss, simulated readers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.api.pages.access import Visit
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.learning.figures import named
from annotation.learning.models import Policy, TrainingRun
from annotation.learning.selectors import CurvePoint, learning_curve, runs_for
from annotation.projects.rules import LearnedQuestion

METRICS = ("balanced_accuracy", "worst_class_recall", "macro_auc", "calibration_error")
OF_KIND = {"ordinal": "quadratic_kappa", "multi": "macro_f1"}
SHORT = {
    "worst_class_recall": "Worst answer",
    "macro_auc": "AUC",
    "macro_f1": "F1",
    "calibration_error": "Calibration error",
    "quadratic_kappa": "Agreement of grades",
}
SIMULATIONS_SHOWN = 3


@dataclass(frozen=True)
class Curve:
    """A curve with its points, newest first for the table."""

    chart: Chart | None
    points: list[CurvePoint]
    name: str


@dataclass(frozen=True)
class Simulation:
    """Strategies tried with readers who answer as the truth says."""

    run: TrainingRun
    chart: Chart | None
    rows: list[tuple[str, Mapping[str, Any]]]


def metrics_of(question: LearnedQuestion) -> dict[str, str]:
    """List the figures that a curve can show, with the words of its buttons."""
    names = [*METRICS, *([OF_KIND[question.kind]] if question.kind in OF_KIND else [])]
    return {name: SHORT.get(name) or named(name) for name in names}


def curve_of(visit: Visit, metric: str, question: LearnedQuestion) -> Curve:
    """Draw the project's learning curve on the audit stream."""
    points = learning_curve(visit.user, visit.project.pk, metric)
    between = 2 if question.takes_several else max(1, len(question.classes))
    chance = {"balanced_accuracy": 1 / between, "macro_auc": 0.5}.get(metric)
    name = named(metric)
    drawn = chart(
        [Series(name, [point_of(point) for point in points])],
        title=f"{name} on the audit stream by number of labels",
        x_title="labels learned from",
        y_title=f"{name}, with its 95 % interval",
        y_limits=(0.0, 1.0),
        chance=chance if points else None,
    )
    return Curve(drawn, points[::-1], name)


def point_of(point: CurvePoint) -> Point:
    """Place a model on the curve."""
    title = (
        f"Model {point['model_number']}: {point['value']:.3f} "
        f"({point['low']:.3f} – {point['high']:.3f}) after {point['labels']} labels"
    )
    return Point(point["labels"], point["value"], point["low"], point["high"], title)


def simulations_of(visit: Visit) -> list[Simulation]:
    """Collect the project's simulations, newest first."""
    runs = runs_for(visit.user, visit.project.pk).filter(kind="simulation")[:SIMULATIONS_SHOWN]
    return [simulation_of(run) for run in runs]


def simulation_of(run: TrainingRun) -> Simulation:
    """Draw one simulation: the strategy's line, then the one of the same budget spent at random."""
    curves = run.result.get("curves", {})
    names = {"strategy": strategy_words(str(run.settings.get("strategy", ""))), "random": "Random"}
    known = [(words, curves[key]) for key, words in names.items() if curves.get(key)]
    drawn = chart(
        [Series(words, [simulated(point) for point in points]) for words, points in known],
        title="Balanced accuracy by number of readings, the strategy beside random",
        x_title="readings spent",
        y_title=f"Balanced accuracy on {judges(run.result)}, with 95 % intervals",
        y_limits=(0.0, 1.0),
    )
    return Simulation(run, drawn, [(words, points[-1]) for words, points in known])


def judges(result: Mapping[str, Any]) -> str:
    """Name what judged a simulation."""
    return f"{result.get('judging_cases', 0)} cases ({result.get('judged_on', 'held out')})"


def strategy_words(strategy: str) -> str:
    """Name a strategy as the policy form does."""
    return dict(Policy.Strategy.choices).get(strategy, strategy).partition(":")[0]


def simulated(point: Mapping[str, Any]) -> Point:
    """Place one point of a simulation."""
    return Point(point["readings"], point["value"], point.get("low"), point.get("high"))
