"""What the question that models learn asks, as the loop sees it: decisions between exclusive classes.

A question with one answer (single, ordinal) is one decision between its choices. A question with several
(multi) is one decision a choice, absent or present: binary relevance (Boutell 2004), as what is said of one
finding excludes no other. So labels are (case, decision) class numbers and predictions are (case, decision,
class) with rows that sum to 1, for every question. A measure of one decision serves all of them: it is
averaged over decisions where a model is judged, weighted or summed over them where a case is chosen. Only
what is told to people goes by choices, whose places in these arrays are kept here; only the fit of a head
asks for the kind.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Numbers = NDArray[np.intp]
Labels = NDArray[np.integer]
SINGLE, ORDINAL, MULTI = "single", "ordinal", "multi"
PRESENT: Final = 1


@dataclass(frozen=True)
class Target:
    """A question's kind and the values of its choices, in the protocol's order."""

    kind: str
    choices: tuple[str, ...]

    @property
    def decisions(self) -> int:
        """How many decisions a case asks for."""
        return len(self.choices) if self.kind == MULTI else 1

    @property
    def classes(self) -> int:
        """Between how many classes each is."""
        return 2 if self.kind == MULTI else len(self.choices)

    @property
    def places(self) -> tuple[Numbers, Numbers]:
        """Decision and class that each choice stands for: (choice,) each."""
        numbers = np.arange(len(self.choices), dtype=np.intp)
        if self.kind == MULTI:
            return numbers, np.full_like(numbers, PRESENT)
        return np.zeros_like(numbers), numbers

    def labels(self, answers: Sequence[Collection[str]]) -> Numbers:
        """Give what was chosen as numbers: (case, decision). answers: of each case, among the choices."""
        if self.kind == MULTI:
            rows = [[int(value in chosen) for value in self.choices] for chosen in answers]
        else:
            rows = [[self.choices.index(value) for value in chosen] for chosen in answers]
        return np.array(rows, dtype=np.intp).reshape(len(answers), self.decisions)

    def likely(self, labels: Labels, shares: Sequence[Mapping[str, float] | None]) -> Floats | None:
        """How likely each class is: (case, decision, class), certain where nothing says more.

        labels: (case, decision). shares: of each case by choice. returns: None where all are certain.
        """
        if not any(shares):
            return None
        found = np.eye(self.classes)[labels]
        for place, share in enumerate(shares):
            known = np.array([(share or {}).get(value, 0.0) for value in self.choices])
            if share and self.kind == MULTI:
                found[place] = np.stack([1.0 - known, known], axis=-1)
            elif known.sum() > 0.0:  # of choices that are offered still
                found[place, 0] = known / known.sum()
        return found

    def chosen(self, labels: Labels) -> NDArray[np.bool_]:
        """Say which choices labels, or likeliest classes, name: (case, decision) → (case, choice)."""
        decision, member = self.places
        return np.asarray(labels[:, decision] == member)

    def shares(self, probabilities: Floats) -> Floats:
        """Probability of each choice: (case, decision, class) → (case, choice)."""
        return probabilities[:, *self.places]

    def counts(self, labels: Labels) -> list[list[int]]:
        """Count the labels of each class, decision by decision. labels: (case, decision)."""
        return [list(map(int, row)) for row in class_counts(labels, self.classes)]

    def named(self, labels: Labels) -> Numbers:
        """Count the labels that name each choice: (case, decision) → (choice,)."""
        return np.asarray(self.chosen(labels).sum(axis=0), dtype=np.intp)


def class_counts(labels: Labels, classes: int) -> Numbers:
    """Count the labels of each class: (case, decision) → (decision, class)."""
    return np.stack([np.bincount(column, minlength=classes) for column in labels.T])


def likeliest(probabilities: Floats) -> Numbers:
    """Likeliest class of each decision: (case, decision, class) → (case, decision)."""
    return np.asarray(probabilities.argmax(axis=-1), dtype=np.intp)
