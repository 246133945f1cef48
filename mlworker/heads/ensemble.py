"""The head that a refit makes: one fit on all labels and ten on bootstrap samples of the cases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Floats, Heads, Labels, fit, log_priors, softmax
from mlworker.heads.multilabel import MultilabelHeads, fit_multilabel, log_odds, sigmoid
from mlworker.heads.ordinal import OrdinalHeads, fit_ordinal
from mlworker.targets import MULTI, ORDINAL, PRESENT, SINGLE, Target, class_counts

BOOTSTRAP_HEADS = 10
PENALTIES = (0.03, 0.1, 0.3, 1.0)
DEFAULT_PENALTY = 0.3
FOLDS = 3
TUNED_FROM = 8  # labels of the rarest class from which cross-validation says something
TUNED_ON = 400


AnyHeads = Heads | OrdinalHeads | MultilabelHeads


@dataclass(frozen=True)
class Recipe:
    """How heads are fitted to what is asked.

    adjusted: class imbalance by logit adjustment (Menon 2021); otherwise classes weigh alike.
    """

    target: Target
    adjusted: bool = False

    def fit(self, features: Floats, labels: Labels | Floats, weights: Floats, penalties: Floats) -> AnyHeads:
        """Fit heads.

        labels: (case, decision) class numbers, or (case, decision, class) how likely each class is. weights:
        (head, case), how often each case counts; classes are balanced here.
        """
        known = certain(labels)
        if self.target.kind == MULTI:
            present = labels if labels.ndim == 2 else labels[:, :, PRESENT]
            adjustment = log_odds(known) if self.adjusted else None
            balance = None if self.adjusted else self.balance(known)
            return fit_multilabel(
                features, present, weights, penalties, adjustment=adjustment, balance=balance
            )
        classes, only = self.target.classes, labels[:, 0]
        if self.target.kind == ORDINAL:
            return fit_ordinal(features, only, weights, penalties, classes=classes)
        if not self.adjusted:
            weights = weights * class_balance(known[:, 0], classes)
        priors = log_priors(known[:, 0], classes) if self.adjusted else None
        return fit(features, only, weights, penalties, classes=classes, adjustment=priors)

    def balance(self, labels: Labels) -> Floats:
        """Weight of each decision of each case such that its classes weigh alike: (case, decision)."""
        return np.stack([class_balance(column, self.target.classes) for column in labels.T], axis=1)


@dataclass(frozen=True)
class Ensemble:
    """Scaling and heads of one refit; head 0 has seen every label, the others a bootstrap sample."""

    scaling: Scaling
    heads: AnyHeads
    penalty: float

    def head_probabilities(self, embeddings: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, decision, class)."""
        return predicted(self.heads, self.scaling.apply(embeddings))

    def mean_probabilities(self, embeddings: Floats) -> NDArray[np.float32]:
        """Mean over the heads: (case, feature) → (case, decision, class)."""
        return np.asarray(self.head_probabilities(embeddings).mean(axis=1))


def predicted(heads: AnyHeads, features: Floats) -> NDArray[np.float32]:
    """(case, feature), scaled → (case, head, decision, class), rows sum to 1."""
    return _each_decision(heads, heads.probabilities(features))


def predicted_from(heads: Heads | MultilabelHeads, logits: Floats) -> Floats:
    """Turn logits as these heads give them, of any draw, into (case, draw, decision, class)."""
    chances = sigmoid(logits) if isinstance(heads, MultilabelHeads) else softmax(np.asarray(logits))
    return _each_decision(heads, chances)


def _each_decision(heads: AnyHeads, chances: NDArray[np.float32]) -> NDArray[np.float32]:
    if isinstance(heads, MultilabelHeads):
        return np.stack([1.0 - chances, chances], axis=-1)
    return chances[:, :, None, :]


def learned(
    embeddings: Floats, labels: Labels, *, scaling: Scaling, classes: int, groups: Labels, seed: int
) -> Ensemble:
    """Fit the ensemble for one answer of several, classes weighing alike.

    embeddings: (case, feature) of labelled cases. labels: (case,) class numbers.
    groups: (case,) patient numbers, kept on one side of every fold.
    """
    target = Target(SINGLE, tuple(map(str, range(classes))))
    return learned_by(Recipe(target), embeddings, labels[:, None], scaling=scaling, groups=groups, seed=seed)


def learned_by(
    recipe: Recipe,
    embeddings: Floats,
    labels: Labels | Floats,
    *,
    scaling: Scaling,
    groups: Labels,
    seed: int,
) -> Ensemble:
    """Fit the ensemble by a recipe. labels: as for `Recipe.fit`; the rest as for `learned`."""
    features, known = scaling.apply(embeddings), certain(labels)
    penalty = _chosen_penalty(recipe, features, labels, groups, seed)
    counts = np.vstack([np.ones(len(known)), bootstrap_counts(known, BOOTSTRAP_HEADS, seed)])
    return Ensemble(scaling, recipe.fit(features, labels, counts, np.full(len(counts), penalty)), penalty)


def certain(labels: Labels | Floats) -> Labels:
    """Give the likeliest class of each decision, where it is not given alone: (case, decision)."""
    return np.asarray(labels if labels.ndim == 2 else labels.argmax(axis=-1), dtype=np.intp)


def class_balance(labels: Labels, classes: int) -> Floats:
    """Weight of each case such that classes weigh alike, mean 1. labels: (case,)."""
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return len(labels) / (present * counts[labels].astype(np.float64))


def bootstrap_counts(labels: Labels, heads: int, seed: int) -> Floats:
    """How often each case is drawn, with every class of every decision kept: (head, case).

    labels: (case, decision).
    """
    random = np.random.default_rng(seed)
    cases = len(labels)
    counts = random.multinomial(cases, np.full(cases, 1.0 / cases), size=heads).astype(np.float64)
    for column in labels.T:
        for value in np.unique(column):
            members = np.flatnonzero(column == value)
            missing = np.flatnonzero(counts[:, members].sum(axis=1) == 0)
            counts[missing, random.choice(members, len(missing))] = 1.0
    return counts


def out_of_bag(ensemble: Ensemble, embeddings: Floats, labels: Labels, *, seed: int) -> Floats:
    """Predict each labelled case by the bootstrap heads that did not see it: (case, decision, class).

    embeddings, labels, seed: as the ensemble was learned. A case that every head saw is predicted by all.
    """
    unseen = (bootstrap_counts(labels, BOOTSTRAP_HEADS, seed) == 0.0).T
    unseen[~unseen.any(axis=1)] = True
    probabilities = ensemble.head_probabilities(embeddings)[:, 1:]
    seen_by = unseen.sum(axis=1)[:, None, None]
    return np.asarray((probabilities * unseen[:, :, None, None]).sum(axis=1) / seen_by)


def _chosen_penalty(
    recipe: Recipe, features: Floats, labels: Labels | Floats, groups: Labels, seed: int
) -> float:
    """Choose the penalty by cross-validation over patients; a default while labels are few."""
    known = certain(labels)
    counts = class_counts(known, recipe.target.classes)
    if counts[counts > 0].min() < TUNED_FROM:
        return DEFAULT_PENALTY
    random = np.random.default_rng(seed)
    kept = np.sort(random.permutation(len(known))[:TUNED_ON])
    features, labels, groups, known = features[kept], labels[kept], groups[kept], known[kept]
    names, patient = np.unique(groups, return_inverse=True)
    fold = random.permutation(len(names))[patient] % FOLDS
    penalties = np.repeat(PENALTIES, FOLDS)
    outside = fold[None, :] == np.tile(np.arange(FOLDS), len(PENALTIES))[:, None]
    fitted = recipe.fit(features, labels, (~outside).astype(np.float64), penalties)
    loss = -np.log(np.maximum(_of_truth(fitted, features, known), 1e-12))
    costs = ((loss * recipe.balance(known)).sum(axis=-1) * outside).sum(axis=1)
    return float(PENALTIES[int(costs.reshape(-1, FOLDS).sum(axis=1).argmin())])


def _of_truth(heads: AnyHeads, features: Floats, labels: Labels) -> Floats:
    """Probability that each head gives the true class of each decision: (head, case, decision)."""
    probabilities = predicted(heads, features).astype(np.float64)
    return np.take_along_axis(probabilities, labels[:, None, :, None], axis=-1)[..., 0].transpose(1, 0, 2)
