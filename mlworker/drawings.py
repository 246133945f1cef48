"""Drawings of one case compared, two by two: of readers, of one reader twice, of a reader and a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotation.learning.drawn import was_asked, was_asked_by
from annotation.projects.masks import Mask, voxels
from annotation.projects.questions import Regions, Segmentation
from annotation.readings.agreement import report_drawn, surfaces
from annotation.readings.agreement.drawn import bounded
from annotation.readings.measurements import pixel_size
from annotation.readings.measuring import Stack, stack_of
from annotation.readings.models import Revision
from annotation.readings.repeat_models import RepeatRevision
from annotation.readings.selectors import author_of

NO_SPACING = "the size of a voxel is not known, or not in the same unit as elsewhere"


@dataclass(frozen=True)
class Both:
    """Two answers to one case, and whose they are."""

    case: int
    one: str
    other: str
    first: Mapping[str, Any]
    second: Mapping[str, Any]


class Drawings:
    """Pairs of drawings, as they come case by case.

    unit: of distances, as the first mask has it; distances in another one are left out.
    """

    def __init__(
        self, masks: Mapping[str, Segmentation], regions: Mapping[str, Regions], *, unit: str = ""
    ) -> None:
        self.asked_masks, self.asked_regions, self.unit = masks, regions, unit
        self.masks: dict[str, list[report_drawn.MaskPair]] = {key: [] for key in masks}
        self.regions: dict[str, list[report_drawn.BoxPair]] = {key: [] for key in regions}

    def add(self, revisions: Sequence[Revision]) -> None:
        """Compare each two readings of a case that were asked the same."""
        revisions = sorted(revisions, key=lambda one: (one.reader_id is None, author_of(one)))
        case = revisions[0].reading.case
        stack = stack_of(case.series) if self.asked_masks else None
        for one, other in combinations(revisions, 2):
            asked = [
                question for question in self._asked() if all(was_asked(a, question) for a in (one, other))
            ]
            self._compare(
                Both(case.number, author_of(one), author_of(other), one.answers, other.answers), asked, stack
            )

    def add_twice(self, first: Revision, again: RepeatRevision) -> None:
        """Compare what one reader drew on a case with what they drew on it again."""
        case = again.repeat.case
        stack = stack_of(case.series) if self.asked_masks else None
        asked = [
            question
            for question in self._asked()
            if was_asked(first, question) and was_asked_by(again.protocol, question, again.answers)
        ]
        who = author_of(first)
        self._compare(Both(case.number, who, who, first.answers, again.answers), asked, stack)

    def add_proposed(self, reading: Revision, question: Segmentation | Regions, proposed: object) -> None:
        """Compare what a reader drew with what a model proposed for it, which the reader did not see."""
        case = reading.reading.case
        stack = stack_of(case.series) if isinstance(question, Segmentation) else None
        who = author_of(reading)
        both = Both(case.number, who, who, reading.answers, {question.key: proposed})
        self._compare(both, [question], stack)

    def _asked(self) -> list[Segmentation | Regions]:
        return [*self.asked_masks.values(), *self.asked_regions.values()]

    def _compare(self, both: Both, asked: Sequence[Segmentation | Regions], stack: Stack | None) -> None:
        for question in asked:
            one, other = (answers.get(question.key) for answers in (both.first, both.second))
            if isinstance(question, Regions):
                drawn = [bounded(region) for region in one or []], [bounded(region) for region in other or []]
                pair = report_drawn.BoxPair(both.case, both.one, both.other, drawn)
                self.regions[question.key].append(pair)
            elif stack is not None:
                self.masks[question.key] += self._masks(both, question, stack)

    def _masks(self, both: Both, question: Segmentation, stack: Stack) -> Iterator[report_drawn.MaskPair]:
        drawn = [answers.get(question.key) for answers in (both.first, both.second)]
        one, other = (Mask.model_validate(answer) if answer else None for answer in drawn)
        first = one or other
        if first is None or (one and other and (one.images, one.shape) != (other.images, other.shape)):
            return
        spacing, unit = spacing_of(first, stack)
        self.unit = self.unit or unit
        for label in question.classes:
            drawings = [
                voxels(mask, label.value) if mask else np.zeros(first.shape, dtype=np.bool_)
                for mask in (one, other)
            ]
            apart = surfaces.compared(drawings[0], drawings[1], spacing)
            if unit != self.unit:
                apart = surfaces.Apart(apart.dice, None, None, NO_SPACING)
            yield report_drawn.MaskPair(both.case, both.one, both.other, label.label, apart)


def spacing_of(mask: Mask, stack: Stack) -> tuple[tuple[float, float, float], str]:
    """Give the size of a mask's voxels, slices first, and its unit."""
    places = [place for image in mask.images if (place := stack.place_of(image)) is not None]
    size = pixel_size(stack.pictures[places[0]].attributes) if places else pixel_size({})
    thick = stack.thickness_mm
    if size.of == "pixels" or (len(mask.images) > 1 and thick is None):
        return (1.0, 1.0, 1.0), "px"
    across = float(np.median(thick[places])) if thick is not None else 1.0
    return (across, size.row, size.column), "mm"
