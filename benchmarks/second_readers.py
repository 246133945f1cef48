"""Simulated readers of brain MRI, and what a reading design makes of them by the code of production.

Imported once Django is set up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from annotation.learning.models import Policy
from annotation.queue.second_reads import due
from annotation.readings.fusion.choices import (
    FEWEST_LABELS,
    SMOOTHING,
    Labels,
    expected,
    majority,
    matrices_of,
)
from annotation.readings.fusion.standard import CLOSE, Skills
from mlworker import loop
from mlworker.comparing import fitted
from mlworker.doubting import worst_quality
from mlworker.driving import model_by, recipe_by
from mlworker.evaluation.crowdlab import MISSING
from mlworker.evaluation.doubt import Asked, predicted_apart
from mlworker.replay.turns import judged
from mlworker.replay.worlds import World, judging, taken
from mlworker.turn import Labelled

TURN = 200
ROUNDS = 30  # of readers and model weighed by each other
# Glioma, meningioma, no tumour, pituitary: (true class, class said) of each reader, the best one first.
READERS = np.array(
    [
        [
            [0.96, 0.03, 0.01, 0.00],
            [0.03, 0.94, 0.02, 0.01],
            [0.01, 0.02, 0.97, 0.00],
            [0.00, 0.02, 0.00, 0.98],
        ],
        [
            [0.90, 0.07, 0.02, 0.01],
            [0.06, 0.88, 0.04, 0.02],
            [0.02, 0.05, 0.92, 0.01],
            [0.01, 0.03, 0.02, 0.94],
        ],
        [
            [0.82, 0.13, 0.03, 0.02],
            [0.10, 0.80, 0.06, 0.04],
            [0.03, 0.10, 0.85, 0.02],
            [0.02, 0.07, 0.03, 0.88],
        ],
        [
            [0.70, 0.20, 0.06, 0.04],
            [0.17, 0.68, 0.09, 0.06],
            [0.06, 0.16, 0.74, 0.04],
            [0.04, 0.12, 0.05, 0.79],
        ],
        [
            [0.55, 0.28, 0.10, 0.07],
            [0.24, 0.52, 0.14, 0.10],
            [0.09, 0.23, 0.61, 0.07],
            [0.07, 0.18, 0.08, 0.67],
        ],
    ]
)
Numbers = NDArray[np.intp]
Floats = NDArray[np.floating]


@dataclass
class Reading:
    """What has been read of a set, in the order that a seed deals. said: (case, reader), MISSING where not.

    speaks: (case,), false where a second reading was asked for because the first was doubted.
    """

    known: Labelled
    seed: int
    said: Numbers = field(init=False)
    speaks: NDArray[np.bool_] = field(init=False)
    waiting: list[int] = field(default_factory=list)
    spent: int = 0

    def __post_init__(self) -> None:
        count = len(self.known.labels)
        random = np.random.default_rng(self.seed)
        self.order = random.permutation(count)
        self.shifts = np.argsort(random.random((count, len(READERS))), axis=1)
        self.draws = random.random((count, len(READERS)))
        self.said = np.full((count, len(READERS)), MISSING, dtype=np.intp)
        self.speaks = np.ones(count, dtype=np.bool_)

    def read(self, case: int, records: Floats | None = None) -> None:
        """Have the next reader of a case read it; who that is and says is dealt alike in every arm.

        records: (reader,); where given, the best of those who have not read the case does.
        """
        unheard = self.said[case] == MISSING
        reader = self.shifts[case, (~unheard).sum()]
        if records is not None:
            reader = np.where(unheard, records, -np.inf).argmax()
        chances = READERS[reader, self.known.labels[case, 0]].cumsum()
        self.said[case, reader] = min(int(np.searchsorted(chances, self.draws[case, reader])), 3)
        self.spent += 1

    @property
    def counts(self) -> Numbers:
        """How often each case was read: (case,)."""
        return np.asarray((self.said != MISSING).sum(axis=1))

    @property
    def read_cases(self) -> Numbers:
        """Positions of the cases that somebody read."""
        return np.flatnonzero(self.counts > 0)

    def next_unread(self) -> int | None:
        """Give the next case that nobody has read."""
        fresh = self.order[self.counts[self.order] == 0]
        return int(fresh[0]) if len(fresh) else None


def fused(said: Numbers, classes: Sequence[str]) -> tuple[Numbers, Numbers, Floats]:
    """Fuse as production does: positions of cases with a reference standard, classes, and how likely each is.

    likely: (case, class), certain where one reader read.
    """
    names = [str(reader) for reader in range(said.shape[1])]
    read = np.flatnonzero((said != MISSING).any(axis=1))
    found = fitted(said[read], list(classes), names, one_coin=False)
    skills = Skills(**found)
    cases, labels, chances = [], [], []
    for case in read.tolist():
        who = np.flatnonzero(said[case] != MISSING)
        if len(who) == 1:
            label = int(said[case, who[0]])
            likely = np.eye(len(classes))[label]
        else:
            likely = skills.likely({names[one]: classes[said[case, one]] for one in who})
            second, first = np.sort(likely)[-2:]
            if first - second < CLOSE:
                continue
            label = int(likely.argmax())
        labels.append(label)
        chances.append(likely)
        cases.append(case)
    return np.array(cases, dtype=np.intp), np.array(labels, dtype=np.intp), np.array(chances)


def with_model(likely: Floats, said: Numbers) -> Floats:
    """How likely each class is by readers and a model that saw neither the cases nor their patients.

    As Dawid and Skene fuse, with the model's word, case by case, in place of how frequent each class is
    (Raykar 2010), so that a case that one reader read tells what that reader is worth too.

    likely: (case, class), the model's. said: (case, reader).
    """
    cases, readers = np.nonzero(said != MISSING)
    labels = Labels(cases, readers, said[cases, readers], likely.shape[1])
    votes, coins = labels.votes(), np.bincount(readers, minlength=labels.reader_count) < FEWEST_LABELS
    found = majority(labels)
    for _ in range(ROUNDS):
        matrices = matrices_of(votes, found, coins=coins, smoothing=SMOOTHING)
        found = expected(votes, likely.astype(np.float64), matrices)
    return found


@dataclass(frozen=True)
class Arm:
    """How cases get their second readings. readers: of each case. share: of readings, for second ones.

    by: "doubt", or "chance" for second readings of cases drawn at random. soft: heads learn what is likely,
    by readers; asks_model: by readers and by heads that learned from other patients' labels. best: second
    readings go to whoever agrees most with such heads. truth: labels as they are, however they were read.
    """

    readers: int = 1
    share: float = 0.0
    by: str = "doubt"
    soft: bool = False
    asks_model: bool = False
    best: bool = False
    truth: bool = False


ARMS = {
    "single": Arm(),
    "double": Arm(readers=2),
    "doubted_10": Arm(share=0.1),
    "doubted_20": Arm(share=0.2),
    "doubted_20_best": Arm(share=0.2, best=True),
    "single_truth": Arm(truth=True),
    "chance_10": Arm(share=0.1, by="chance"),
    "double_soft": Arm(readers=2, soft=True),
    "doubted_10_soft": Arm(share=0.1, soft=True),
    "single_model": Arm(asks_model=True),
    "double_model": Arm(readers=2, asks_model=True),
    "doubted_10_model": Arm(share=0.1, asks_model=True),
    "doubted_20_model": Arm(share=0.2, asks_model=True),
}


class Run:
    """One arm and seed: reads turn by turn, and fits what the refit job would fit."""

    def __init__(self, world: World, arm: Arm, seed: int) -> None:
        self.world, self.arm, self.seed = world, arm, seed
        self.reading = Reading(world.read, seed)
        self.recipe = recipe_by(Policy(), world.target)
        self.scaling = loop.scaling_of(world.read.cases)
        self.records: Floats | None = None

    def turn(self, until: int) -> None:
        """Read up to a number of readings: second ones first, as they stand first in line."""
        reading = self.reading
        while reading.spent < until:
            if reading.waiting:
                reading.read(reading.waiting.pop(0), self.records)
                continue
            fresh = reading.next_unread()
            if fresh is None:
                return
            for _ in range(self.arm.readers):
                reading.read(fresh)

    def labelled(self) -> Labelled:
        """Give what fusing the readings gives."""
        cases, labels, likely = fused(self.reading.said, self.world.classes)
        if self.arm.truth:
            labels = self.world.read.labels[cases, 0]
        learned = likely[:, None, :] if self.arm.soft else None
        return replace(taken(self.world.read, cases), labels=labels[:, None], likely=learned)

    def score(self, known: Labelled) -> float:
        """Balanced accuracy of the heads that learn from these labels."""
        none = taken(known, np.empty(0, dtype=np.intp))
        model = model_by(self.recipe, known, none, scaling=self.scaling, seed=self.seed)
        return judged(model, judging(self.world), self.world.target)[0]

    def predicted(self, known: Labelled) -> Floats:
        """Predict each read case by heads that learned from other patients' labels: (read case, class)."""
        read = self.reading.read_cases
        asked = Asked(self.world.read.cases.vectors[read], self.world.read.patients[read])
        return predicted_apart(self.recipe, known, asked, scaling=self.scaling, seed=self.seed)[:, 0]

    def learned(self, known: Labelled, likely: Floats | None) -> Labelled:
        """Give what models learn from: what is known, or what readers and model make of it together."""
        if not self.arm.asks_model or likely is None:
            return known
        read = self.reading.read_cases
        together = with_model(likely, self.reading.said[read])
        labels = together.argmax(axis=1)[:, None]
        return replace(taken(self.world.read, read), labels=labels, likely=together[:, None, :])

    def ask(self, likely: Floats | None) -> None:
        """Let cases that are due wait for a second reader. likely: as predicted."""
        reading = self.reading
        once = np.flatnonzero(reading.counts == 1)
        second = int((reading.counts > 1).sum())
        wanted = due(reading.spent, second, self.arm.share) if self.arm.share else 0
        if not wanted:
            return
        if self.arm.by == "chance" or likely is None:
            drawn = np.random.default_rng(self.seed + reading.spent).permutation(once)
            reading.waiting = drawn[:wanted].tolist()
            return
        quality = self.quality(likely)
        reading.waiting = once[np.argsort(quality[once], kind="stable")][:wanted].tolist()
        reading.speaks[reading.waiting] = False

    def quality(self, likely: Floats) -> Floats:
        """How likely each read case's label is right, as the job that doubts labels says: (case,)."""
        reading, found = self.reading, np.ones(len(self.reading.said))
        read = reading.read_cases
        found[read] = worst_quality(likely[:, None], reading.said[read, :, None], speaks=reading.speaks[read])
        return found

    def curve(self, budget: int) -> list[tuple[int, float, float]]:
        """Spend a budget of readings: readings, balanced accuracy, share of wrong labels, a row a turn."""
        rows = []
        asks = self.arm.asks_model or (self.arm.share > 0 and self.arm.by == "doubt")
        for until in range(TURN, budget + 1, TURN):
            self.turn(until)
            known = self.labelled()
            likely = self.predicted(known) if asks else None
            learned = self.learned(known, likely)
            rows.append((self.reading.spent, self.score(learned), self.wrong(learned)))
            if self.arm.best and likely is not None:
                self.records = self.agreeing(likely)
            self.ask(likely)
        return rows

    def agreeing(self, likely: Floats) -> Floats:
        """How far heads that learned other patients' labels agree with first readings: (reader,)."""
        read = self.reading.read_cases
        first = self.reading.shifts[read, 0]
        agreed = likely[np.arange(len(read)), self.reading.said[read, first]]
        read_by = np.bincount(first, minlength=len(READERS)).clip(1)
        return np.asarray(np.bincount(first, agreed, len(READERS)) / read_by)

    def wrong(self, learned: Labelled) -> float:
        """Share of the labels learned from that are wrong."""
        at = np.searchsorted(self.world.read.cases.keys, learned.cases.keys)
        return float((learned.labels[:, 0] != self.world.read.labels[at, 0]).mean())
