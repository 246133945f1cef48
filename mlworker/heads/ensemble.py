"""The head that a refit makes: one fit on all labels and ten on bootstrap samples of the cases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Floats, Heads, Labels, fit, log_priors
from mlworker.heads.ordinal import OrdinalHeads, fit_ordinal

BOOTSTRAP_HEADS = 10
PENALTIES = (0.03, 0.1, 0.3, 1.0)
DEFAULT_PENALTY = 0.3
FOLDS = 3
TUNED_FROM = 8  # labels of the rarest class from which cross-validation says something
TUNED_ON = 400


AnyHeads = Heads | OrdinalHeads


@dataclass(frozen=True)
class Recipe:
    """How heads are fitted. ordered: the classes are grades, one above the other.

    adjusted: class imbalance by logit adjustment (Menon 2021); otherwise classes weigh alike.
    """

    classes: int
    adjusted: bool = False
    ordered: bool = False

    def fit(self, features: Floats, labels: Labels, weights: Floats, penalties: Floats) -> AnyHeads:
        """Fit heads. weights: (head, case), how often each case counts; classes are balanced here."""
        if self.ordered:
            return fit_ordinal(features, labels, weights, penalties, classes=self.classes)
        if not self.adjusted:
            weights = weights * class_balance(labels, self.classes)
        adjustment = log_priors(labels, self.classes) if self.adjusted else None
        return fit(features, labels, weights, penalties, classes=self.classes, adjustment=adjustment)


@dataclass(frozen=True)
class Ensemble:
    """Scaling and heads of one refit; head 0 has seen every label, the others a bootstrap sample."""

    scaling: Scaling
    heads: AnyHeads
    penalty: float

    def head_probabilities(self, embeddings: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class)."""
        return self.heads.probabilities(self.scaling.apply(embeddings))

    def mean_probabilities(self, embeddings: Floats) -> NDArray[np.float32]:
        """Mean over the heads: (case, feature) → (case, class)."""
        return np.asarray(self.head_probabilities(embeddings).mean(axis=1))


def learned(
    embeddings: Floats, labels: Labels, *, scaling: Scaling, classes: int, groups: Labels, seed: int
) -> Ensemble:
    """Fit the ensemble for one answer of several, classes weighing alike.

    embeddings: (case, feature) of labelled cases. labels: (case,) class numbers.
    groups: (case,) patient numbers, kept on one side of every fold.
    """
    return learned_by(Recipe(classes), embeddings, labels, scaling=scaling, groups=groups, seed=seed)


def learned_by(
    recipe: Recipe, embeddings: Floats, labels: Labels, *, scaling: Scaling, groups: Labels, seed: int
) -> Ensemble:
    """Fit the ensemble by a recipe; the rest as for `learned`."""
    features = scaling.apply(embeddings)
    penalty = _chosen_penalty(recipe, features, labels, groups, seed)
    counts = np.vstack([np.ones(len(labels)), bootstrap_counts(labels, BOOTSTRAP_HEADS, seed)])
    return Ensemble(scaling, recipe.fit(features, labels, counts, np.full(len(counts), penalty)), penalty)


def class_balance(labels: Labels, classes: int) -> Floats:
    """Weight of each case such that classes weigh alike, mean 1. labels: (case,)."""
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return len(labels) / (present * counts[labels].astype(np.float64))


def bootstrap_counts(labels: Labels, heads: int, seed: int) -> Floats:
    """How often each case is drawn, with every class kept: (head, case)."""
    random = np.random.default_rng(seed)
    cases = len(labels)
    counts = random.multinomial(cases, np.full(cases, 1.0 / cases), size=heads).astype(np.float64)
    for value in np.unique(labels):
        members = np.flatnonzero(labels == value)
        missing = np.flatnonzero(counts[:, members].sum(axis=1) == 0)
        counts[missing, random.choice(members, len(missing))] = 1.0
    return counts


def out_of_bag(ensemble: Ensemble, embeddings: Floats, labels: Labels, *, seed: int) -> Floats:
    """Predict each labelled case by the bootstrap heads that did not see it: (case, class).

    embeddings, labels, seed: as the ensemble was learned. A case that every head saw is predicted by all.
    """
    unseen = (bootstrap_counts(labels, BOOTSTRAP_HEADS, seed) == 0.0).T
    unseen[~unseen.any(axis=1)] = True
    probabilities = ensemble.head_probabilities(embeddings)[:, 1:]
    return np.asarray((probabilities * unseen[:, :, None]).sum(axis=1) / unseen.sum(axis=1)[:, None])


def _chosen_penalty(recipe: Recipe, features: Floats, labels: Labels, groups: Labels, seed: int) -> float:
    """Choose the penalty by cross-validation over patients; a default while labels are few."""
    if np.bincount(labels)[np.unique(labels)].min() < TUNED_FROM:
        return DEFAULT_PENALTY
    random = np.random.default_rng(seed)
    kept = np.sort(random.permutation(len(labels))[:TUNED_ON])
    features, labels, groups = features[kept], labels[kept], groups[kept]
    names, patient = np.unique(groups, return_inverse=True)
    fold = random.permutation(len(names))[patient] % FOLDS
    penalties = np.repeat(PENALTIES, FOLDS)
    outside = fold[None, :] == np.tile(np.arange(FOLDS), len(PENALTIES))[:, None]
    fitted = recipe.fit(features, labels, (~outside).astype(np.float64), penalties)
    loss = -np.log(np.maximum(_of_truth(fitted, features, labels), 1e-12))
    costs = (loss * outside * class_balance(labels, recipe.classes)).sum(axis=1)
    return float(PENALTIES[int(costs.reshape(-1, FOLDS).sum(axis=1).argmin())])


def _of_truth(heads: AnyHeads, features: Floats, labels: Labels) -> Floats:
    """Probability that each head gives the true class: (head, case)."""
    probabilities = heads.probabilities(features)
    return probabilities[np.arange(len(labels)), :, labels].T.astype(np.float64)
