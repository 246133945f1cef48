"""A project's data as its staff look through them: filters, pages by cursor, studies, what scanners give."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTransform

from accounts.models import User
from annotation.learning.scanners import scanner_name
from annotation.learning.selectors import learning_project
from annotation.projects.models import Case, Part, Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.queue.models import Entry
from annotation.readings.models import Reading, ReferenceStandard
from annotation.studies.models import Acquisition, Series, Study

PAGE, MOST_PAGE, MOST_COUNTED = 60, 200, 10_000
NONE, NUL = "none", "\0"


@dataclass(frozen=True)
class Filters:
    """What cases are looked for; empty: any. scanner: maker and model with a bar between them."""

    modality: str = ""
    body_part: str = ""
    scanner: str = ""
    site: str = ""
    label: str = ""
    status: str = ""
    part: str = ""
    stream: str = ""

    def named(self) -> dict[str, str]:
        """Give those that are set, by name."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after a case's number, or before one; 0: at the first case."""

    after: int = 0
    before: int = 0
    size: int = PAGE


@dataclass(frozen=True)
class CaseRow:
    """A case as the list shows it. label: in words."""

    case: Case
    label: str
    status: str

    @property
    def acquisition(self) -> Acquisition | None:
        """Where and how it was made."""
        return self.case.acquisition

    @property
    def where(self) -> str:
        """Name its site, field strength and kernel, as far as they are told."""
        made = self.case.acquisition
        if made is None:
            return ""
        tesla = f"{made.magnetic_field_strength} T" if made.magnetic_field_strength else ""
        return " · ".join(part for part in (made.site, tesla, made.convolution_kernel) if part)


@dataclass(frozen=True)
class CasePage:
    """Cases in the order of their numbers; previous, next: cursors, 0 where there is no more."""

    rows: list[CaseRow]
    previous: int
    next: int
    count: int

    @property
    def is_more(self) -> bool:
        """Whether there are more than are counted."""
        return self.count > MOST_COUNTED


def case_page(user: User, project_id: UUID, filters: Filters, cursor: Cursor) -> CasePage:
    """Find one page of a project's cases, in a constant number of queries.

    raises: Project.DoesNotExist, ForbiddenError for readers.
    """
    project = learning_project(user, project_id)
    question = question_learned(project.pk)
    found = filtered(project, filters, question)
    count = found.order_by()[: MOST_COUNTED + 1].count()
    cases = page_of(found, question, cursor)
    more = len(cases) > cursor.size
    cases = cases[: cursor.size]
    if cursor.before:
        cases = cases[::-1]
    is_first = not cursor.after and (not cursor.before or not more)
    is_last = not more if not cursor.before else False
    rows = [CaseRow(case, question.told(case.answer), status_of(case)) for case in cases]  # type: ignore[attr-defined]
    return CasePage(
        rows,
        previous=0 if is_first or not cases else cases[0].number,
        next=0 if is_last or not cases else cases[-1].number,
        count=count,
    )


def page_of(found: QuerySet[Case], question: LearnedQuestion, cursor: Cursor) -> list[Case]:
    """Read a page and one case more; of a page before a case the nearest comes first."""
    order = "-number" if cursor.before else "number"
    bound = Q(number__lt=cursor.before) if cursor.before else Q(number__gt=cursor.after)
    answer: Any = KeyTransform(question.key, "reference__answers") if question.key else Value("")
    rows = found.filter(bound).annotate(answer=answer).order_by(order)
    return list(rows.select_related("acquisition", "entry", "series")[: cursor.size + 1])


def filtered(project: Project, filters: Filters, question: LearnedQuestion) -> QuerySet[Case]:
    """Narrow a project's cases down. Which acquisitions fit is found first: they are few, and indexed."""
    cases = Case.objects.filter(project=project)
    if any(NUL in str(said) for said in vars(filters).values()):  # PostgreSQL has no such text
        return cases.none()
    if filters.modality or filters.body_part or filters.scanner or filters.site:
        cases = cases.filter(acquisition__in=fitting(project, filters))
    if filters.part:
        cases = cases.filter(part="" if filters.part == NONE else filters.part)
    if filters.stream:
        cases = cases.filter(stream=filters.stream)
    if filters.status:
        cases = cases.filter(standing(project, filters.status))
    return labelled_so(cases, filters.label, question) if filters.label else cases


def standing(project: Project, status: str) -> Exists | Q:
    """Condition on a case's state: most wait, so they are met on the way; of the others the list is short."""
    entries = Entry.objects.filter(project=project, state=status)
    if status == Entry.State.WAITING:
        return Exists(entries.filter(case=OuterRef("pk")))
    return Q(pk__in=entries.values("case"))


def labelled_so(cases: QuerySet[Case], label: str, question: LearnedQuestion) -> QuerySet[Case]:
    """Narrow cases down to those of a class, or without any reference standard."""
    standards = ReferenceStandard.objects.filter(case=OuterRef("pk"))
    if label == NONE:
        return cases.filter(~Exists(standards))
    if question.takes_several:
        return cases.filter(Exists(standards.filter(**{f"answers__{question.key}__icontains": f'"{label}"'})))
    return cases.filter(Exists(standards.filter(**{f"answers__{question.key}": label})))


def fitting(project: Project, filters: Filters) -> list[int]:
    """Find the acquisitions that filters are about."""
    wanted = {
        "modality": filters.modality,
        "body_part_examined": filters.body_part,
        "site": filters.site,
    }
    told = {name: "" if value == NONE else value for name, value in wanted.items() if value}
    if filters.scanner:
        maker, _, model = filters.scanner.partition("|")
        told |= {"manufacturer": maker, "manufacturer_model_name": model}
    return list(acquisitions_in(project).filter(**told).values_list("pk", flat=True))


def acquisitions_in(project: Project) -> QuerySet[Acquisition]:
    """List the acquisitions that a project's cases are of."""
    mine = Case.objects.filter(project=project, acquisition=OuterRef("pk"))
    return Acquisition.objects.filter(Exists(mine), dataset=project.dataset_id)


def status_of(case: Case) -> str:
    """Say where a case stands: as its place in the queue, or held out of it."""
    entry = getattr(case, "entry", None)
    return entry.state if entry else Case.Stream.HELD_OUT.value


@dataclass(frozen=True)
class Choices:
    """What filters offer: values with words."""

    modalities: list[str]
    body_parts: list[str]
    scanners: list[tuple[str, str]]
    sites: list[str]
    labels: list[tuple[str, str]]


def choices_for(user: User, project_id: UUID) -> Choices:
    """List what a project's cases can be filtered by, from its acquisitions alone."""
    project = learning_project(user, project_id)
    rows = list(acquisitions_in(project))
    scanners = sorted({(one.manufacturer, one.manufacturer_model_name) for one in rows})
    question = question_learned(project.pk)
    return Choices(
        modalities=sorted({one.modality for one in rows} - {""}),
        body_parts=sorted({one.body_part_examined for one in rows} - {""}),
        scanners=[(f"{maker}|{model}", scanner_name(maker, model)) for maker, model in scanners],
        sites=sorted({one.site for one in rows} - {""}),
        labels=list(question.words.items()),
    )


def study_for(user: User, project_id: UUID, study_id: UUID) -> Study:
    """Find a study that has a case in the project, with its series and their images.

    raises: Study.DoesNotExist, Project.DoesNotExist, ForbiddenError for readers.
    """
    project = learning_project(user, project_id)
    mine = Case.objects.filter(project=project, series__study=OuterRef("pk"))
    return Study.objects.select_related("patient").get(Exists(mine), pk=study_id)


def series_of_study(study: Study, project_id: UUID) -> list[tuple[Series, Case | None]]:
    """List a study's series by number, each with the project's case of it."""
    series = study.series.order_by("series_number", "series_instance_uid").prefetch_related("instances")
    cases = Case.objects.filter(project=project_id, series__study=study).select_related("entry", "reference")
    known = {case.series_id: case for case in cases}
    return [(one, known.get(one.pk)) for one in series]


def readings_by_case(cases: Sequence[Case]) -> dict[UUID, int]:
    """Count the readers' readings of cases."""
    rows = Reading.objects.filter(case__in=cases, reader__isnull=False).order_by()
    return dict(rows.values_list("case").annotate(Count("pk")))


PARTS = [*Part.choices, (NONE, "Not placed")]
STATES = [*Entry.State.choices]
STREAMS = [*Case.Stream.choices]
