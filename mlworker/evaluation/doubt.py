"""Labels that are likely wrong: heads that never saw them disagree confidently. No database."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.ensemble import Recipe, learned_by
from mlworker.heads.features import Scaling
from mlworker.turn import Labelled

FOLDS = 5

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Doubted:
    """Doubted labels, the worst first: (doubt,) positions of cases, decisions, and the classes thought right.

    margins: (doubt,) probability of that class less that of the label.
    """

    cases: Numbers
    decisions: Numbers
    thought: Numbers
    margins: Floats


@dataclass(frozen=True)
class Asked:
    """Cases that are predicted. vectors: (case, feature). patients: (case,), numbered as the labels' are."""

    vectors: NDArray[np.floating]
    patients: Numbers


def out_of_fold(recipe: Recipe, known: Labelled, *, scaling: Scaling, seed: int) -> Floats:
    """Predict each case by heads that learned from other patients' cases: (case, decision, class)."""
    asked = Asked(known.cases.vectors, known.patients)
    return predicted_apart(recipe, known, asked, scaling=scaling, seed=seed)


def predicted_apart(recipe: Recipe, known: Labelled, asked: Asked, *, scaling: Scaling, seed: int) -> Floats:
    """Predict cases by heads that learned from the labels of other patients: (case, decision, class)."""
    people = int(max(known.patients.max(), asked.patients.max(initial=0))) + 1
    folds = np.random.default_rng(seed).permutation(people) % FOLDS
    learned_in, asked_in = folds[known.patients], folds[asked.patients]
    target = recipe.target
    found = np.full((len(asked.vectors), target.decisions, target.classes), 1.0 / target.classes)
    for number in np.unique(asked_in):
        outside = learned_in != number
        if not outside.any():
            continue
        heads = learned_by(
            recipe,
            known.cases.vectors[outside],
            known.learned[outside],
            scaling=scaling,
            groups=known.patients[outside],
            seed=seed,
        )
        found[asked_in == number] = heads.mean_probabilities(asked.vectors[asked_in == number])
    return found


def doubted(probabilities: Floats, labels: Numbers) -> Doubted:
    """Find labels that confident learning doubts (Northcutt 2021).

    A class is thought right where it is at least as likely as on average among the cases labelled so; of
    several the likeliest. probabilities: (case, decision, class), labels: (case, decision).
    """
    parts = [_of_decision(probabilities[:, at], labels[:, at]) for at in range(labels.shape[1])]
    cases = np.concatenate([part[0] for part in parts])
    decisions = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    thought, margins = (np.concatenate([part[side] for part in parts]) for side in (1, 2))
    order = np.argsort(-margins, kind="stable")
    return Doubted(
        cases[order], decisions[order].astype(np.intp), thought[order].astype(np.intp), margins[order]
    )


def _of_decision(probabilities: Floats, labels: Numbers) -> tuple[Numbers, Numbers, Floats]:
    rows = np.arange(len(labels))
    usual = np.array(
        [
            probabilities[labels == at, at].mean() if (labels == at).any() else np.inf
            for at in range(probabilities.shape[1])
        ]
    )
    confident = np.where(probabilities >= usual, probabilities, -np.inf)
    thought = confident.argmax(axis=1)
    margins = probabilities[rows, thought] - probabilities[rows, labels]
    found = np.flatnonzero(np.isfinite(confident.max(axis=1)) & (thought != labels) & (margins > 0))
    return found.astype(np.intp), thought[found], margins[found]
