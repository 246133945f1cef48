"""What the readers of a case say, side by side, under letters that tell nothing of who they are."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from annotation.projects.answers import is_empty
from annotation.projects.models import Case, Protocol
from annotation.projects.questions import Question, Regions, questions_of
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.readings.disputes import Given, Limits, disputed, disputed_regions, given_in, limits_of
from annotation.readings.models import Revision
from annotation.readings.qualifying import unqualified_in
from annotation.readings.rules import stated
from annotation.readings.selectors import revisions_in_force


@dataclass(frozen=True)
class Side:
    """One reader's answers under a letter that tells nothing of who it is."""

    letter: str
    revision: Revision
    given: Given


class Sides:
    """What the readers of one case say, as its newest protocol among them asks it."""

    def __init__(self, case_id: UUID, seed: UUID) -> None:
        found = readings_in_force(case_id)
        # By a hash of dispute and reading: who is A in one case is anybody in the next.
        found.sort(key=lambda one: hashlib.sha256(seed.bytes + one.reading_id.bytes).digest())
        self.revisions: Sequence[Revision] = found

    @property
    def digest(self) -> str:
        """Tell one set of revisions in force from another."""
        said = sorted((one.reading_id.bytes, one.number) for one in self.revisions)
        return hashlib.sha256(repr(said).encode()).hexdigest()

    @cached_property
    def protocol(self) -> Protocol:
        """The newest version that any of them answers.

        raises: RefusedError where no reading counts.
        """
        if not self.revisions:
            raise RefusedError(_("no reading of this case counts now: there is nothing to decide"))
        return max((one.protocol for one in self.revisions), key=lambda one: one.version)

    @cached_property
    def questions(self) -> list[Question]:
        """What it asks."""
        return questions_of(self.protocol.questions)

    @cached_property
    def listed(self) -> list[Side]:
        """The sides by letter."""
        return [
            Side(letter, one, given_by(one))
            for letter, one in zip(ascii_uppercase, self.revisions, strict=False)
        ]

    @cached_property
    def limits(self) -> Limits:
        """From where on the project calls a difference a dispute, by what it says now."""
        return limits_of(settings_in(protocol_in_force(self.protocol.project_id)))

    def keys(self) -> list[str]:
        """Name the disputed questions."""
        if len(self.revisions) < 2:
            return []
        return disputed(self.questions, [one.given for one in self.listed], self.limits)

    def regions(self, keys: Collection[str]) -> dict[str, set[str]]:
        """Name the disputed regions, by question and id."""
        given = [one.given for one in self.listed]
        asked = [one for one in self.questions if isinstance(one, Regions) and one.key in keys]
        return {one.key: disputed_regions(one, given, self.limits) for one in asked}

    def side(self, letter: str) -> Side:
        """Find a side.

        raises: RefusedError where there is none.
        """
        found = next((one for one in self.listed if one.letter == letter), None)
        if found is None:
            raise RefusedError(f'there is no reader "{letter}": there are {", ".join(self.letters)}')
        return found

    @property
    def letters(self) -> list[str]:
        """Name the sides."""
        return [one.letter for one in self.listed]


def readings_in_force(case_id: UUID) -> list[Revision]:
    """List what readers who count say of a case now; sources dispute nothing."""
    rows = revisions_in_force().filter(reading__case=case_id, reader__isnull=False)
    case = Case.objects.only("project").get(pk=case_id)
    rows = rows.exclude(reader__in=unqualified_in(case.project_id))
    return list(rows.select_related("protocol", "reading").order_by("pk"))


def given_by(revision: Revision) -> Given:
    """Take a revision's answers for a comparison."""
    questions = questions_of(revision.protocol.questions)
    return given_in(questions, stated(questions, revision.answers), revision.measurements)


def answered_parts(side: Side, keys: Sequence[str], regions: Mapping[str, set[str]]) -> dict[str, Any]:
    """Give what of a side's answers is disputed: of regions, those alone that are."""
    found = {key: side.given.answers[key] for key in keys if key in side.given.answers}
    for key, ids in regions.items():
        answer = found.get(key)
        if not is_empty(answer):
            found[key] = [one for one in answer or [] if one["id"] in ids]
    return found
