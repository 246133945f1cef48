"""A project's split: asked for, placed by a job, read. A patient who has a place keeps it for good."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from accounts.models import User
from annotation.projects.models import Case, Part, Placement, Project, Split
from annotation.projects.rules import strictest_split
from annotation.projects.selectors import project_for
from annotation.projects.services import record_act
from annotation.projects.splitting import (
    LIKENESS,
    Person,
    checked_likeness,
    checked_shares,
    divided,
    split_key,
)
from annotation.studies.models import Patient

MOST_CROSSING = 200


@dataclass(frozen=True)
class Wanted:
    """How patients are to be divided; likeness: cosine from which two images are near-duplicates."""

    val_share: float = 0.15
    test_share: float = 0.15
    seed: int = 0
    likeness: float = LIKENESS


@dataclass(frozen=True)
class Alike:
    """What a search of the vectors says of near-duplicates: the number of each group, from 1.

    cases:    by case. patients: by patient; one with images in two groups joins them.
    waiting:  patients with an image that has no vector yet: they wait for a later run.
    """

    cases: Mapping[UUID, int]
    patients: Mapping[UUID, int]
    waiting: Collection[UUID] = ()


@transaction.atomic
def save_split(*, project: Project, wanted: Wanted, by: User | None, now: datetime) -> Split:
    """Say how patients are to be divided from now on; who is placed already stays there.

    raises: RefusedError naming the field.
    """
    checked_shares(wanted.val_share, wanted.test_share)
    checked_likeness(wanted.likeness)
    asked = {
        "val_share": wanted.val_share,
        "test_share": wanted.test_share,
        "seed": wanted.seed,
        "likeness": wanted.likeness,
    }
    first = {"created_by": by, "created_at": now}
    split, _ = Split.objects.update_or_create(project=project, defaults=asked, create_defaults=asked | first)
    record_act("split.ask", project.pk, by=by, details=asked)
    return split


@transaction.atomic
def place_patients(*, split: Split, alike: Alike, now: datetime) -> Split:
    """Place the patients who have no place yet, and write down what was found; again, nobody moves."""
    project = Project.objects.select_for_update().get(pk=split.project_id)
    people = people_of(project, alike.patients)
    ready = [one for one in people if one.part or one.patient_id not in alike.waiting]
    key = split_key(project.pk, split.seed)
    placed = divided(ready, val_share=split.val_share, test_share=split.test_share, key=key)
    Placement.objects.bulk_create(
        Placement(project=project, patient_id=patient, part=part, why=why, created_at=now)
        for patient, (part, why) in placed.items()
    )
    write_parts(project)
    split.placed_at = now
    split.figures = {
        "placed_now": dict(Counter(part for part, _ in placed.values())),
        "waiting": len(people) - len(ready),
        "groups": len(set(alike.cases.values())),
        "crossing": crossing(project, alike.cases),
    }
    split.save(update_fields=["placed_at", "figures"])
    counts = {part: sum(one == part for one, _ in placed.values()) for part in Part.values}
    record_act("split.place", project.pk, by=None, details=counts)
    return split


def people_of(project: Project, groups: Mapping[UUID, int]) -> list[Person]:
    """List a project's patients as the draw sees them."""
    given: dict[UUID, list[str]] = {}
    streams: dict[UUID, str] = {}
    rows = project.cases.order_by().values_list("patient_id", "split", "stream").distinct()
    for patient, split, stream in rows:
        given.setdefault(patient, []).append(split)
        streams[patient] = stream
    pseudonyms = Patient.objects.filter(cases__project=project).order_by().distinct()
    divides = Case.Stream.HELD_OUT in streams.values()
    parts = dict(project.placements.values_list("patient_id", "part"))
    return [
        Person(
            patient,
            pseudonym,
            streams[patient],
            given_to(given[patient], streams[patient], divides=divides),
            parts.get(patient, ""),
            groups.get(patient, 0),
        )
        for patient, pseudonym in pseudonyms.values_list("pk", "pseudonym")
    ]


def given_to(splits: Sequence[str], stream: str, *, divides: bool) -> str:
    """Say what the deliveries' tables decide of a patient.

    divides: whether they hold anybody out: only then is "train" a decision. Whoever is audited is never
    trained on.
    """
    strictest = strictest_split(splits)
    if strictest == Part.TRAIN and (not divides or stream == Case.Stream.AUDIT):
        return ""
    return strictest


def write_parts(project: Project) -> None:
    """Bring the cases to where their patients are."""
    for part in Part.values:
        there = project.placements.filter(part=part).values("patient")
        project.cases.filter(patient__in=there).exclude(part=part).update(part=part)


def crossing(project: Project, groups: Mapping[UUID, int]) -> list[list[int]]:
    """Name, by number, near-duplicates that stand in different parts: placed before that was known."""
    rows = project.cases.filter(pk__in=groups).exclude(part="").values_list("pk", "number", "part")
    parts: dict[int, set[str]] = {}
    numbers: dict[int, list[int]] = {}
    for case, number, part in rows:
        parts.setdefault(groups[case], set()).add(part)
        numbers.setdefault(groups[case], []).append(number)
    return [sorted(numbers[group]) for group, of_group in parts.items() if len(of_group) > 1][:MOST_CROSSING]


@dataclass(frozen=True)
class PartRow:
    """A part as it stands: how many patients, and how many cases."""

    part: str
    patients: int
    cases: int

    @property
    def label(self) -> str:
        """Its name in words."""
        return Part(self.part).label if self.part else "Not placed"


def parts_for(user: User, project_id: UUID) -> list[PartRow]:
    """Count patients and cases of each part of a project that the person may see; not placed ones last.

    raises: Project.DoesNotExist.
    """
    return part_rows(project_for(user, project_id))


def part_rows(project: Project) -> list[PartRow]:
    """Count as parts_for does; not scoped."""
    cases = project.cases.order_by()
    counts = cases.values("part").annotate(patients=Count("patient", distinct=True), cases=Count("pk"))
    found = {one["part"]: PartRow(one["part"], one["patients"], one["cases"]) for one in counts}
    return [found.get(part, PartRow(part, 0, 0)) for part in (*Part.values, "")]


def split_of(project_id: UUID) -> Split | None:
    """Find a project's split, where one was asked for; not scoped."""
    return Split.objects.filter(project=project_id).first()


def unlearnable_parts(project_id: UUID) -> list[str]:
    """Name the parts of the pool that models must not learn from: where patients are divided, all but one.

    Who is not placed yet may be placed in the test later, and waits too. For machine work, so not scoped.
    """
    return ["", Part.VAL, Part.TEST] if split_of(project_id) else []
