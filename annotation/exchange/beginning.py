"""A new project's first images: those of a data set that is there, or examples that are made here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.exchange import phantoms, uploads
from annotation.exchange.imports import Progress, job_key, open_delivery
from annotation.exchange.lifecycle.usage import bytes_by_series, check_room, fitting
from annotation.learning.asking import ask_for_project
from annotation.learning.services import ask_embed, policy_for
from annotation.projects.beginning import check_empty, take_dataset
from annotation.projects.models import Case, Project
from annotation.projects.rules import DERIVED_MODALITIES, RefusedError, strictest_split
from annotation.projects.services import NewCase, add_cases
from annotation.queue.rankings import add_entries
from annotation.studies.models import Import, Series
from jobs.models import Job, Lane
from jobs.services import ask

FIRST_CASES, CASES_AT_ONCE = 8, 500  # the first ones are few: somebody waits for them
EXAMPLES: Final = 60
SHARED: Final = (
    "this project asks about a data set that holds images, or that others read: make another project for"
    " examples"
)
EXAMPLE_NAME: Final = "Example images (chest phantoms)"


@transaction.atomic
def ask_cases_of(*, project: Project, dataset_id: UUID, by: User) -> Job:
    """Let a project without images ask about a data set: a job makes the cases.

    raises: RefusedError, Dataset.DoesNotExist.
    """
    taken = take_dataset(project=project, dataset_id=dataset_id, by=by)
    return ask_for_project("take_cases", project_id=taken.pk, lane=Lane.TRANSFER, by=by)


def take_cases(project_id: UUID, *, now: datetime, progress: Progress) -> None:
    """Make a case of every series to be read of a project's data set; run again, it adds what is new.

    Where the project has gone on to another data set meanwhile, it is left to that one's job.
    raises: QuotaError where not all find room; what does is taken, to the last case.
    """
    project = Project.objects.get(pk=project_id)
    series = Series.objects.filter(study__dataset=project.dataset_id).exclude(modality__in=DERIVED_MODALITIES)
    rows = list(series.order_by("pk").values_list("pk", "study__patient_id"))
    done = 0
    for some in in_portions(rows):
        left = some
        while left:
            with transaction.atomic():
                locked = Project.objects.select_for_update().get(pk=project_id)
                if locked.dataset_id != project.dataset_id:
                    return
                left = take_portion(locked, left, now)
            taken = done + len(some) - len(left)
            progress(taken / len(rows), f"{taken} of {len(rows)} cases")
            if left:  # where the quota was raised meanwhile, it goes on
                ask_embed(dataset_id=project.dataset_id)
                check_room(project_id, bytes_by_series([left[0][0]])[left[0][0]])
        done += len(some)
    ask_embed(dataset_id=project.dataset_id)


def take_portion(
    project: Project, rows: Sequence[tuple[UUID, UUID]], now: datetime
) -> Sequence[tuple[UUID, UUID]]:
    """Make cases of series that are none yet, as many as the project, which is locked, has room for.

    returns: of the rows those that found none.
    """
    there = set(project.cases.filter(series__in=[key for key, _ in rows]).values_list("series", flat=True))
    fresh = [row for row in rows if row[0] not in there]
    count = len(fitting(project.pk, [key for key, _ in fresh]))
    share = policy_for(project).audit_share
    made = add_cases(project=project, items=items_of(fresh[:count]), now=now, audit_share=share)
    add_entries(project=project, cases=made)
    return fresh[count:]


def in_portions(rows: Sequence[tuple[UUID, UUID]]) -> Iterator[Sequence[tuple[UUID, UUID]]]:
    """Part rows into a few and then many."""
    if rows:
        yield rows[:FIRST_CASES]
    for start in range(FIRST_CASES, len(rows), CASES_AT_ONCE):
        yield rows[start : start + CASES_AT_ONCE]


def items_of(rows: Sequence[tuple[UUID, UUID]]) -> list[NewCase]:
    """Describe new cases; who is held out in another project of the data set is held out here too."""
    patients = [patient for _, patient in rows]
    splits: dict[UUID, list[str]] = {}
    for patient, split in Case.objects.filter(patient__in=patients).values_list("patient_id", "split"):
        splits.setdefault(patient, []).append(split)
    return [NewCase(series, patient, strictest_split(splits.get(patient, [""]))) for series, patient in rows]


@transaction.atomic
def ask_examples(*, project: Project, by: User, now: datetime) -> tuple[Import, Job]:
    """Ask for example images: phantoms, made by the job that imports them; into a data set of their own.

    raises: RefusedError where there are images or another project reads the data set, QuotaError.
    """
    locked = Project.objects.select_for_update().get(pk=project.pk)
    check_empty(locked)
    if not takes_examples(locked):
        raise RefusedError(SHARED)
    delivery = open_delivery(
        project=project, source_name=EXAMPLE_NAME, requested_by=by, now=now, modality="DX"
    )
    job = ask(
        name="import_examples",
        lane=Lane.TRANSFER,
        arguments={"import_id": str(delivery.pk)},
        requested_by=by,
        scope_id=project.pk,
        singleton_key=job_key(delivery),
    )
    return delivery, job


def takes_examples(project: Project) -> bool:
    """Whether a project's data set is its own and empty, so that no phantom gets among patients."""
    others = Project.objects.filter(dataset=project.dataset_id).exclude(pk=project.pk)
    return not others.exists() and not Series.objects.filter(study__dataset=project.dataset_id).exists()


def write_examples(spool: Path, import_id: UUID) -> Path:
    """Write the phantoms where the import of a delivery that was sent reads."""
    return phantoms.write_phantoms(spool / str(import_id) / uploads.FOLDER, count=EXAMPLES)
