"""One labelled set read by one strategy, turn by turn, by the code that the refit job runs."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np

from annotation.learning.models import Policy
from mlworker import loop
from mlworker.driving import choosing, drive_by, model_by, recipe_by
from mlworker.evaluation.intervals import metrics_of
from mlworker.heads.features import Scaling
from mlworker.replay.worlds import Floats, Numbers, Seeded, World, seeded, taken
from mlworker.targets import Target


@dataclass(frozen=True)
class Curve:
    """One run: an entry a turn, after its readings. score: balanced accuracy; chance while there is no model.

    readings: cases read, the audit stream's among them. seconds: expert time spent. worst_recall: of the
    class recognised worst. calibration_error: NaN while there is no model.
    """

    readings: Numbers
    seconds: Floats
    score: Floats
    worst_recall: Floats
    calibration_error: Floats


class Reader:
    """Answers what is asked, from the known labels; remembers what has been read."""

    def __init__(self, world: World, dealt: Seeded, policy: Policy) -> None:
        self.dealt, self.policy = dealt, with_seed(policy, dealt.seed)
        self.recipe = recipe_by(policy, world.target)
        self.scaling: Scaling = loop.scaling_of(dealt.read.cases)
        self.read: Numbers = np.empty(0, dtype=np.intp)

    def model(self) -> loop.Model | None:
        """Fit what the refit job would fit; None while labels do not suffice."""
        pool, audit = self._labelled()
        seed = self._drive().seed
        return model_by(self.recipe, pool, audit, scaling=self.scaling, seed=seed)

    def read_on(self, model: loop.Model | None, limit: int) -> None:
        """Read the first places of the ranking: a batch, or what is left of the budget."""
        pool, _ = self._labelled()
        drive = self._drive()
        size = min(self.policy.refit_every, limit - len(self.read))
        unread = np.setdiff1d(np.arange(len(self.dealt.read.labels)), self.read)
        streams = {name: unread[self.dealt.audit[unread] == (name == "audit")] for name in ("pool", "audit")}
        cases = {name: taken(self.dealt.read, chosen).cases for name, chosen in streams.items()}
        chooser = choosing(model, pool)
        places = loop.ordered(
            cases["pool"], cases["audit"], pool.cases, model=chooser, drive=drive, size=size
        )
        picked = [streams[place.stream][place.position] for place in places]
        self.read = np.concatenate([self.read, np.array(picked, dtype=np.intp)])

    def _drive(self) -> loop.Drive:
        return drive_by(self.policy, self.recipe.target, read=len(self.read))

    def _labelled(self) -> tuple[loop.Labelled, loop.Labelled]:
        is_audit = self.dealt.audit[self.read]
        return taken(self.dealt.read, self.read[~is_audit]), taken(self.dealt.read, self.read[is_audit])


def with_seed(policy: Policy, seed: int) -> Policy:
    """Copy a policy, with another seed; nothing is written."""
    other = copy(policy)
    other.seed = seed
    return other


def with_strategy(policy: Policy, strategy: str) -> Policy:
    """Copy a policy, with another strategy; nothing is written."""
    other = copy(policy)
    other.strategy = strategy
    return other


def replayed(world: World, policy: Policy, *, budget: int, seed: int) -> Curve:
    """Spend a budget of readings, and judge the model after each turn."""
    dealt = seeded(world, seed=seed, audit_share=policy.audit_share)
    reader, rows = Reader(world, dealt, policy), []
    for model in models_of(reader, budget):
        seconds = float(dealt.seconds[reader.read].sum())
        rows.append((len(reader.read), seconds, *judged(model, dealt.judge, world.target)))
    columns = np.array(rows, dtype=np.float64).T
    return Curve(columns[0].astype(np.intp), *columns[1:])


def models_of(reader: Reader, budget: int) -> Iterator[loop.Model | None]:
    """Spend a budget of readings, a model after each turn; None while labels do not suffice."""
    model, limit = None, min(budget, len(reader.dealt.read.labels))
    while len(reader.read) < limit:
        reader.read_on(model, limit)
        model = reader.model()
        yield model


def judged(model: loop.Model | None, judge: loop.Labelled, target: Target) -> tuple[float, float, float]:
    """Balanced accuracy, recall of the choice recognised worst, calibration error."""
    if model is None:
        return 1.0 / target.classes, 0.0, float("nan")
    found = model.probabilities(judge.cases.vectors)
    weights, measures = np.ones((1, len(judge.labels))), metrics_of(target, judge.labels)
    names = ("balanced_accuracy", "worst_class_recall", "calibration_error")
    score, worst, error = (float(measures[name](found, judge.labels, weights)[0]) for name in names)
    return score, worst, error


def full_score(world: World, policy: Policy, *, seed: int) -> float:
    """Balanced accuracy of a model that learned from every case that can be read, audit stream and all."""
    dealt = seeded(world, seed=seed, audit_share=policy.audit_share)
    none = taken(dealt.read, np.empty(0, dtype=np.intp))
    scaling = loop.scaling_of(dealt.read.cases)
    recipe = recipe_by(policy, world.target)
    model = model_by(recipe, dealt.read, none, scaling=scaling, seed=seed)
    return judged(model, dealt.judge, world.target)[0]
