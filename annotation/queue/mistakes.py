"""A model's mistakes read again, with cases that it got right: without, figures would tilt its way more.

They still tilt: among cases read again mistakes are commoner than in the stream.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import User
from annotation.learning.judged_models import JudgedCase
from annotation.learning.models import ModelVersion
from annotation.projects.rules import RefusedError
from annotation.queue.batches import Gathered, make_batch
from annotation.queue.models import Entry

# What readers are told of a case that is read again: not what anybody thinks of the first answer.
READ_AGAIN: Final = "Read by a colleague too: please read it on your own"


@dataclass(frozen=True)
class Reread:
    """What came of asking; controls: how many cases of the batch the model got right."""

    gathered: Gathered
    controls: int


def reread_mistakes(*, version: ModelVersion, numbers: Sequence[int], by: User, now: datetime) -> Reread:
    """Have mistakes read again by who has not read them, and as many controls, drawn by chance.

    raises: RefusedError where there is no case, too many, or one that is no mistake of the version.
    """
    wanted = sorted(set(numbers))
    checked_mistakes(version, wanted)
    controls = controls_of(version, wanted)
    gathered = make_batch(
        project=version.project,
        numbers=[*wanted, *controls],
        why=READ_AGAIN,
        by=by,
        now=now,
        again=True,
        judging=True,
    )
    batch = gathered.batch
    return Reread(gathered, batch.entries.filter(case__number__in=controls).count() if batch else 0)


def checked_mistakes(version: ModelVersion, numbers: Sequence[int]) -> None:
    """Check that a version is wrong about every one of the cases.

    raises: RefusedError naming one that it is not wrong about.
    """
    wrong = JudgedCase.objects.filter(model=version, is_right=False, case__project=version.project_id)
    known = set(wrong.filter(case__number__in=numbers).values_list("case__number", flat=True))
    for number in numbers:
        if number not in known:
            raise RefusedError(f"case {number} is no mistake of model {version.number}")


def controls_of(version: ModelVersion, wanted: Sequence[int]) -> list[int]:
    """Draw as many read cases that a version got right and were in no batch yet; what is asked is the seed.

    wanted: numbers of the mistakes, ascending. returns: fewer where there are no more.
    """
    own = JudgedCase.objects.filter(model=version, case__project=version.project_id)
    free = own.filter(is_right=True, case__entry__state=Entry.State.DONE, case__entry__batch=None)
    numbers = set(free.values_list("case__number", flat=True))
    numbers -= set(own.filter(is_right=False).values_list("case__number", flat=True))
    draw = random.Random(f"{version.pk}:{wanted}")  # noqa: S311  no secret
    return draw.sample(sorted(numbers), min(len(wanted), len(numbers)))
