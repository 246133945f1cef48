"""Who goes where when patients are divided into training, validation and test. Pure."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from annotation.projects.rules import AUDIT, RefusedError

TRAIN, VAL, TEST = "train", "val", "test"
# From the loosest to the strictest: a patient who is like one of the test is tested on, never trained on.
STRICTNESS: Final = (TRAIN, VAL, TEST)
GIVEN, OF_AUDIT, ALIKE, DRAWN = "given", "audit", "alike", "drawn"
LEAST_TRAINED: Final = 0.1
LIKENESS: Final = 0.95
LIKENESS_LIMITS: Final = (0.8, 1.0)


@dataclass(frozen=True)
class Person:
    """A patient of a project.

    given: the delivery's split, the strictest of all images. part: where an earlier run placed the patient.
    group: number of the patients whose images are near-duplicates of each other; 0: of nobody's.
    """

    patient_id: UUID
    pseudonym: str
    stream: str
    given: str = ""
    part: str = ""
    group: int = 0

    @property
    def due(self) -> tuple[str, str]:
        """Where the patient belongs whatever is drawn, and why; nothing where that is left to the draw.

        The audit stream judges models and chooses between them: it validates.
        """
        if self.given:
            return self.given, GIVEN
        return (VAL, OF_AUDIT) if self.stream == AUDIT else ("", "")


def checked_shares(val_share: float, test_share: float) -> None:
    """Check what is asked for.

    raises: RefusedError naming the rule.
    """
    if min(val_share, test_share) < 0.0 or val_share + test_share > 1.0 - LEAST_TRAINED:
        raise RefusedError(
            f"validation is {val_share:g} and test {test_share:g} of the patients: give shares from 0,"
            f" together at most {1.0 - LEAST_TRAINED:g}"
        )


def checked_likeness(likeness: float) -> None:
    """Check from which cosine on two images are the same.

    raises: RefusedError naming the rule.
    """
    low, high = LIKENESS_LIMITS
    if not low <= likeness <= high:
        raise RefusedError(f"likeness is {likeness:g}: give {low:g} to {high:g}")


def divided(
    people: Sequence[Person], *, val_share: float, test_share: float, key: bytes
) -> dict[UUID, tuple[str, str]]:
    """Place every patient who has no place yet: part and why, by patient.

    Patients whose images are near-duplicates go together: to the strictest part that any of them has. Groups
    for which nothing decides are drawn in the order of a keyed hash, each to the part that lacks most.
    """
    targets = {TRAIN: 1.0 - val_share - test_share, VAL: val_share, TEST: test_share}
    placed: dict[UUID, tuple[str, str]] = {}
    undecided: list[list[Person]] = []
    for group in groups_of(people):
        settled = {part for one in group if (part := one.part or one.due[0])}
        if not settled:
            undecided.append(group)
            continue
        strictest = max(settled, key=STRICTNESS.index)
        for one in group:
            if not one.part:
                placed[one.patient_id] = one.due if one.due[0] else (strictest, ALIKE)
    counts = Counter(one.part or placed.get(one.patient_id, ("", ""))[0] for one in people)
    for group in sorted(undecided, key=lambda group: min(draw_of(one.pseudonym, key) for one in group)):
        part = most_wanted(targets, counts, len(people))
        placed |= {one.patient_id: (part, DRAWN) for one in group}
        counts[part] += len(group)
    return placed


def groups_of(people: Sequence[Person]) -> list[list[Person]]:
    """Put those together who go together."""
    together: dict[int, list[Person]] = {}
    for one in people:
        if one.group:
            together.setdefault(one.group, []).append(one)
    return [*together.values(), *([one] for one in people if not one.group)]


def most_wanted(targets: Mapping[str, float], counts: Mapping[str, int], total: int) -> str:
    """Name the part that lacks most patients; of equals the one for training."""
    return max(STRICTNESS, key=lambda part: round(targets[part] * total - counts.get(part, 0), 9))


def draw_of(pseudonym: str, key: bytes) -> bytes:
    """Place a patient in the random order of a draw: nobody chooses who is tested on."""
    return hmac.new(key, pseudonym.encode(), hashlib.sha256).digest()


def split_key(project_id: UUID, seed: int) -> bytes:
    """Key of a project's draw."""
    return b"split:" + project_id.bytes + seed.to_bytes(8)
