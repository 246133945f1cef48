"""What each site and scanner has given: cases, what is read, how often each class is labelled."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count

from accounts.models import User
from annotation.learning.scanners import scanner_name
from annotation.learning.selectors import learning_project
from annotation.projects.kept import kept
from annotation.projects.models import Case
from annotation.projects.selectors import question_learned
from annotation.queue.models import Entry
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import Acquisition

# Fewer labels of a class than this say nothing of how a model does on a scanner.
FEWEST_LABELS: Final = 5


class Device(NamedTuple):
    """A scanner at a site; empty: not told. Field strength in tesla."""

    site: str
    manufacturer: str
    manufacturer_model_name: str
    magnetic_field_strength: str
    convolution_kernel: str

    @property
    def name(self) -> str:
        """Its maker and model."""
        return scanner_name(self.manufacturer, self.manufacturer_model_name)


@dataclass
class CoverageRow:
    """What a scanner has given. labels: by class, in the protocol's order."""

    device: Device
    cases: int = 0
    read: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def share_read(self) -> float:
        """Of its cases, 0 – 1."""
        return self.read / self.cases if self.cases else 0.0

    @property
    def scanner(self) -> str:
        """As a filter of the list names it."""
        return f"{self.device.manufacturer}|{self.device.manufacturer_model_name}"


@dataclass(frozen=True)
class Coverage:
    """Rows by how many cases they have; classes: words by value."""

    classes: Mapping[str, str]
    rows: list[CoverageRow]

    def cells_of(self, row: CoverageRow) -> list[tuple[int, bool]]:
        """Give a row's labels, class by class, and whether they are too few to say anything."""
        return [(row.labels[value], row.labels[value] < FEWEST_LABELS) for value in self.classes]

    @property
    def gaps(self) -> int:
        """How many cells have too few labels."""
        return sum(is_gap for row in self.rows for _, is_gap in self.cells_of(row))


class Counts(NamedTuple):
    """What was counted by acquisition: cases, what is read, and labels by their answer."""

    cases: list[tuple[int, int]]
    read: list[tuple[int, int]]
    labels: list[tuple[int, Any, int]]

    def rows(self) -> int:
        """How many cases were counted."""
        return sum(count for _, count in self.cases)


def coverage_of(user: User, project_id: UUID) -> Coverage:
    """Count what a project's scanners have given, in a constant number of queries; large ones once a minute.

    raises: Project.DoesNotExist, ForbiddenError for readers.
    """
    project = learning_project(user, project_id)
    question = question_learned(project.pk)
    devices = {
        one.pk: Device(*(getattr(one, name) for name in Device._fields))
        for one in Acquisition.objects.filter(dataset=project.dataset_id)
    }
    rows: dict[Device, CoverageRow] = {}
    counting = partial(counts_of, project.pk, question.key)
    counts = kept(f"coverage:{project.pk}:{question.key}", counting, rows=Counts.rows)
    for key, cases in counts.cases:
        row = rows.setdefault(device := devices.get(key, Device("", "", "", "", "")), CoverageRow(device))
        row.cases += cases
    for key, count in counts.read:
        rows[devices.get(key, Device("", "", "", "", ""))].read += count
    for key, answer, count in counts.labels:
        for value in question.chosen(answer) or ():
            rows[devices.get(key, Device("", "", "", "", ""))].labels[value] += count
    return Coverage(question.words, sorted(rows.values(), key=lambda row: (-row.cases, row.device)))


def counts_of(project_id: UUID, key: str) -> Counts:
    """Count it all, by acquisition; not scoped."""
    return Counts(
        list(cases_by_acquisition(project_id)),
        list(read_by_acquisition(project_id)),
        list(labels_by_acquisition(project_id, key)),
    )


def cases_by_acquisition(project_id: UUID) -> Iterable[tuple[int, int]]:
    """Count cases."""
    cases = Case.objects.filter(project=project_id).order_by()
    return cases.values_list("acquisition").annotate(Count("pk"))


def read_by_acquisition(project_id: UUID) -> Iterable[tuple[int, int]]:
    """Count what is read."""
    done = Entry.objects.filter(project=project_id, state=Entry.State.DONE).order_by()
    return done.values_list("case__acquisition").annotate(Count("pk"))


def labels_by_acquisition(project_id: UUID, key: str) -> Iterable[tuple[int, Any, int]]:
    """Count reference standards by what they answer to a question."""
    standards = ReferenceStandard.objects.filter(case__project=project_id).order_by()
    return standards.values_list("case__acquisition", f"answers__{key}").annotate(Count("pk"))


def as_table(coverage: Coverage) -> list[list[str]]:
    """Write the rows with a head, as a file of comma-separated values has them."""
    head = [*Device._fields, "cases", "read", *coverage.classes]
    rows = [
        [
            *row.device,
            *map(str, (row.cases, row.read)),
            *(str(row.labels[one]) for one in coverage.classes),
        ]
        for row in coverage.rows
    ]
    return [head, *rows]
