"""The body of a job: how a project's readers agree with each other, with themselves and with the model."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from annotation.learning.drawn import LEARNED_SHAPES, was_asked
from annotation.projects.models import Project
from annotation.projects.questions import Number, OneOf, Question, Regions, Segmentation, SomeOf, questions_of
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.agreement import Figures, fuse_again, keep_agreement
from annotation.queue.compared import Table, choices_in, repeated_numbers, revisions_of, said_in
from annotation.readings.agreement import report, report_drawn
from annotation.readings.agreement.choices import MISSING
from annotation.readings.agreement.drawn import bounded
from annotation.readings.agreement.measured import Integers
from annotation.readings.fusion.choices import Labels, dawid_skene
from annotation.readings.models import Agreement, Revision
from annotation.readings.qualifying import unqualified_in
from annotation.readings.selectors import read_twice
from mlworker.drawings import Drawings
from mlworker.runtime import Work

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
    """Compare masks and regions, case by case: of readers, of each with themselves and with the model."""
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
    model = Drawings(masks, regions, unit=again.unit)
    everything: list[Segmentation | Regions] = [*masks.values(), *regions.values()]
    for drawn in everything:
        for one, own in unseen(project_id, drawn):
            model.add_proposed(one, drawn, own["suggested"])
    figures: dict[str, Any] = {}
    for key, question in masks.items():
        labels = [one.label for one in question.classes]
        figures[key] = headed(question) | report_drawn.of_masks(
            table.compared(),
            found.masks[key],
            labels=labels,
            unit=model.unit or "px",
            others=report_drawn.Others(again.masks[key], model.masks[key]),
        )
    for key, shape in regions.items():
        others = report_drawn.Others(again.regions[key], model.regions[key])
        proposed = proposed_boxes(project_id, shape)
        figures[key] = headed(shape) | report_drawn.of_boxes(found.regions[key], proposed, others)
    return figures


def unseen(project_id: UUID, question: Segmentation | Regions) -> Iterator[tuple[Revision, dict[str, Any]]]:
    """Give what a model proposed where the reader did not see it, and their first reading; the newest."""
    firsts = Revision.objects.filter(reading__case__project=project_id, number=1, reader__isnull=False)
    rows = firsts.filter(suggestion__drawn__has_key=question.key)
    rows = rows.select_related("protocol", "reading__case__series")
    rows = rows.prefetch_related("reading__case__series__instances")
    for one in rows.order_by("-created_at", "-pk")[:MOST_PROPOSED].iterator(chunk_size=20):
        own = (one.suggestion or {})["drawn"][question.key]
        if not own["shown"] and was_asked(one, question):
            yield one, own


def proposed_boxes(project_id: UUID, shape: Regions) -> list[report_drawn.Proposed]:
    """List the boxes that a model proposed unseen, with their scores, and those that the reader drew."""
    return [
        (
            [(own["scores"].get(region["id"], 0.0), bounded(region)) for region in own["suggested"] or []],
            [bounded(region) for region in one.answers.get(shape.key) or []],
        )
        for one, own in unseen(project_id, shape)
    ]
