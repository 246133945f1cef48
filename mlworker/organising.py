"""The bodies of two jobs: near-duplicates among a project's images, and patients placed in its split."""

import time
from uuid import UUID

from django.utils import timezone

from annotation.learning.duplicate_models import DuplicateSearch
from annotation.learning.duplicates import Found, Member, keep_duplicates
from annotation.learning.models import Encoder
from annotation.learning.services import ask_refit
from annotation.projects.models import Case, Project
from annotation.projects.splits import Alike, place_patients, split_of
from mlworker.duplicates import Groups, groups_of_patients, near_duplicates
from mlworker.numbering import numbered
from mlworker.runtime import Work
from mlworker.vectors import encoder_of, store_of

COLUMNS = ("pk", "patient_id", "series__content_digest")
Row = tuple[UUID, UUID, str]


def find_duplicates(work: Work, project_id: str, likeness: float) -> None:
    """Group the images of a project; the same job again changes nothing."""
    if DuplicateSearch.objects.filter(job_id=work.job_id).exists():
        return
    started = time.monotonic()
    project = Project.objects.get(pk=project_id)
    encoder = encoder_of(project)
    rows, groups, _ = grouped(work, project, encoder, likeness)
    with work.commit():
        keep(work, project, encoder, found_in(rows, groups, likeness, started))


def place_split(work: Work, project_id: str) -> None:
    """Place the patients who have no place in a project's split, near-duplicates together."""
    started = time.monotonic()
    project = Project.objects.get(pk=project_id)
    split = split_of(project.pk)
    if split is None:
        return
    encoder = encoder_of(project)
    rows, groups, waiting = grouped(work, project, encoder, split.likeness)
    alike = Alike(
        cases={row[0]: int(group) for row, group in zip(rows, groups.of, strict=True) if group},
        patients=patients_grouped(rows, groups),
        waiting={row[1] for row in waiting},
    )
    with work.commit():
        keep(work, project, encoder, found_in(rows, groups, split.likeness, started))
        place_patients(split=split, alike=alike, now=timezone.now())
        ask_refit(project_id=project.pk)


def grouped(
    work: Work, project: Project, encoder: Encoder, likeness: float
) -> tuple[list[Row], Groups, list[Row]]:
    """Group the cases that have vectors; gives them, their groups, and the cases that have none yet."""
    store = store_of(encoder)
    cases = Case.objects.filter(project=project).order_by("number").values_list(*COLUMNS)
    everyone = list(cases)
    places = store.rows([digest for _, _, digest in everyone])
    there = [row for row, place in zip(everyone, places, strict=True) if place >= 0]
    missing = [row for row, place in zip(everyone, places, strict=True) if place < 0]
    vectors = store.vectors(places[places >= 0])
    told = f"Comparing {len(there)} images"
    return (
        there,
        near_duplicates(vectors, likeness, lambda share: work.progress(0.1 + 0.8 * share, told)),
        missing,
    )


def patients_grouped(rows: list[Row], groups: Groups) -> dict[UUID, int]:
    """Find who goes together, by patient."""
    people: dict[UUID, int] = {}
    numbers = numbered((row[1] for row in rows), people)
    found = groups_of_patients(groups.of, numbers)
    return {patient: int(found[at]) for patient, at in people.items() if found[at]}


def found_in(rows: list[Row], groups: Groups, likeness: float, started: float) -> Found:
    """Say what a search found, as it is kept."""
    members = [
        Member(row[0], int(group), round(float(alike), 4))
        for row, group, alike in zip(rows, groups.of, groups.likeness, strict=True)
        if group
    ]
    return Found(likeness, len(rows), groups.count, members, round(time.monotonic() - started, 2))


def keep(work: Work, project: Project, encoder: Encoder, found: Found) -> None:
    """Keep the groups for the page that shows them."""
    keep_duplicates(project=project, encoder=encoder, found=found, job_id=work.job_id, now=timezone.now())
