"""The body of a job: how a project's readers agree with each other, with themselves and with the model."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from annotation.learning.drawn import LEARNED_SHAPES, was_asked, was_asked_by
from annotation.projects.masks import Mask, voxels
from annotation.projects.models import Project
from annotation.projects.questions import Number, OneOf, Question, Regions, Segmentation, SomeOf, questions_of
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.agreement import Figures, fuse_again, keep_agreement
from annotation.queue.compared import Table, choices_in, repeated_numbers, revisions_of, said_in
from annotation.readings.agreement import report, report_drawn, surfaces
from annotation.readings.agreement.choices import MISSING
from annotation.readings.agreement.drawn import bounded
from annotation.readings.agreement.measured import Integers
from annotation.readings.fusion.choices import Labels, dawid_skene
from annotation.readings.measurements import pixel_size
from annotation.readings.measuring import Stack, stack_of
from annotation.readings.models import Agreement, Revision
from annotation.readings.qualifying import unqualified_in
from annotation.readings.repeat_models import RepeatRevision
from annotation.readings.selectors import author_of, read_twice
from mlworker.runtime import Work

NO_SPACING = "the size of a voxel is not known, or not in the same unit as elsewhere"
DIGITS = 6
MOST_PROPOSED = 500


def measure_agreement(work: Work, project_id: str) -> None:
    """Compare all that several readers said, weigh the readers, and fuse their cases anew."""
    project = Project.objects.get(pk=project_id)
    if Agreement.objects.filter(job_id=work.job_id).exists():
        return
    started = time.monotonic()
    protocol = protocol_in_force(project.pk)
    asked = [one for one in questions_of(protocol.questions) if one.scope == "case"]
    table = Table(list(said_in(project.pk, [one.key for one in asked if is_plain(one)])))
    work.progress(0.3, f"{len(table.rows)} readings of {len(table.numbers)} cases")
    one_coin = settings_in(protocol).fusion == "one_coin"
    figures, skills = plain_figures(project.pk, table, asked, one_coin=one_coin)
    figures |= drawn_figures(work, project.pk, table, asked)
    found = Figures(figures, skills, len(table.rows), round(time.monotonic() - started, 2))
    with work.commit():
        keep_agreement(project=project, found=found, job_id=work.job_id, now=timezone.now())
    fuse_again(project.pk, timezone.now())


def is_plain(question: Question) -> bool:
    """Whether answers are choices or numbers."""
    return isinstance(question, OneOf | SomeOf | Number)


def plain_figures(
    project_id: UUID, table: Table, asked: Sequence[Question], *, one_coin: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Compare choices and numbers; gives the figures and, of choices, what each reader confuses.

    one_coin: each reader is told by how often they are right. Readers who do not count yet are compared, and
    weigh nothing.
    """
    silent = {str(reader) for reader in unqualified_in(project_id)}
    figures: dict[str, Any] = {}
    skills: dict[str, Any] = {}
    for question in asked:
        if isinstance(question, Number):
            found = report.of_numbers(
                table.compared(),
                table.numbers_of(question.key),
                unit=question.unit,
                repeats=repeated_numbers(project_id, table, question.key),
            )
        elif isinstance(question, OneOf | SomeOf):
            words = {choice.value: choice.label for choice in question.choices}
            learned = LearnedQuestion(question.key, question.prompt, words, question.kind)
            given = choices_in(project_id, table, learned)
            found = report.of_choices(table.compared(), given)
            skills |= skills_of(learned, table, without(given, table, silent), one_coin=one_coin)
        else:
            continue
        figures[question.key] = headed(question) | found
    return figures, skills


def without(given: report.Choices, table: Table, authors: Collection[str]) -> report.Choices:
    """Leave out what some authors chose."""
    codes = given.codes.copy()
    codes[:, [column for author, column in table.columns.items() if author in authors]] = MISSING
    return replace(given, codes=codes)


def headed(question: Question) -> dict[str, Any]:
    """Say which question figures are of."""
    return {"prompt": question.prompt, "kind": question.kind}


def skills_of(
    question: LearnedQuestion, table: Table, given: report.Choices, *, one_coin: bool
) -> dict[str, Any]:
    """Estimate what each author confuses, by Dawid and Skene; nothing where no case has two readings."""
    if ((given.codes != MISSING).sum(axis=1) < 2).all():
        return {}
    if not question.takes_several:
        return {question.key: fitted(given.codes, list(question.words), table.authors, one_coin=one_coin)}
    found = {}
    for value in question.words:
        has = np.array([value in members for members in given.members])
        made = np.where(given.codes == MISSING, MISSING, has[given.codes].astype(np.int64))
        found[f"{question.key}:{value}"] = fitted(made, ["False", "True"], table.authors, one_coin=one_coin)
    return found


def fitted(codes: Integers, classes: list[str], authors: Sequence[str], *, one_coin: bool) -> dict[str, Any]:
    """Fit readers' matrices and write them down."""
    kept = np.where(codes < len(classes), codes, MISSING)
    cases, readers = np.nonzero(kept != MISSING)
    _, places = np.unique(cases, return_inverse=True)
    found = dawid_skene(Labels(places, readers, kept[cases, readers], len(classes)), one_coin=one_coin)
    who = np.unique(readers)
    return {
        "classes": classes,
        "priors": found.priors.round(DIGITS).tolist(),
        "matrices": {authors[one]: found.matrices[one].round(DIGITS).tolist() for one in who},
    }


def drawn_figures(work: Work, project_id: UUID, table: Table, asked: Sequence[Question]) -> dict[str, Any]:
    """Compare masks and regions, case by case: between readers, and of each with themselves."""
    masks = {one.key: one for one in asked if isinstance(one, Segmentation)}
    regions = {one.key: one for one in asked if isinstance(one, Regions) and one.kind in LEARNED_SHAPES}
    if not masks and not regions:
        return {}
    found = Drawings(masks, regions)
    for count, revisions in enumerate(revisions_of(project_id)):
        work.progress(min(0.9, 0.4 + count / 1000), f"Comparing what was drawn on case {count + 1}")
        found.add(revisions)
    again = Drawings(masks, regions, unit=found.unit)
    for count, pair in enumerate(read_twice(project_id)):
        work.progress(min(0.95, 0.9 + count / 2000), f"Comparing what was drawn twice: {count + 1}")
        again.add_twice(*pair)
    figures: dict[str, Any] = {}
    for key, question in masks.items():
        labels = [one.label for one in question.classes]
        figures[key] = headed(question) | report_drawn.of_masks(
            table.compared(),
            found.masks[key],
            labels=labels,
            unit=again.unit or "px",
            repeats=again.masks[key],
        )
    for key, shape in regions.items():
        proposed = proposed_boxes(project_id, shape)
        figures[key] = headed(shape) | report_drawn.of_boxes(found.regions[key], proposed, again.regions[key])
    return figures


def proposed_boxes(project_id: UUID, shape: Regions) -> list[report_drawn.Proposed]:
    """List what a model proposed and readers drew without having seen it, in their newest first readings."""
    firsts = Revision.objects.filter(reading__case__project=project_id, number=1, reader__isnull=False)
    rows = firsts.filter(suggestion__drawn__has_key=shape.key).select_related("protocol")
    found: list[report_drawn.Proposed] = []
    for one in rows.order_by("-created_at", "-pk")[:MOST_PROPOSED]:
        own = (one.suggestion or {})["drawn"][shape.key]
        if own["shown"] or not was_asked(one, shape):
            continue
        scored = [
            (own["scores"].get(region["id"], 0.0), bounded(region)) for region in own["suggested"] or []
        ]
        found.append((scored, [bounded(region) for region in one.answers.get(shape.key) or []]))
    return found


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
