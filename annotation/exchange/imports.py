"""A delivery becomes cases: through the door in batches, a transaction each; it can be taken up again."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from annotation.exchange.archives import DeliveryError
from annotation.exchange.deliveries import Delivery, open_source
from annotation.exchange.lifecycle.usage import Room, check_room
from annotation.exchange.tables import Table, read_table
from annotation.learning.services import ask_embed, policy_for
from annotation.projects.models import Project
from annotation.projects.questions import Document
from annotation.projects.rules import is_read, strictest_split
from annotation.projects.services import NewCase, actor_name, add_cases, create_project, start_project
from annotation.queue.rankings import add_entries
from annotation.studies.batches import Taken
from annotation.studies.certificates import with_deeds
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.terms import MODALITIES
from annotation.studies.intake import PROCESSES, Arrival, Intake, Judged, Treatment
from annotation.studies.keys import dataset_key, pseudonym_of
from annotation.studies.models import Import, ImportedFile, Series
from annotation.studies.services import drop_discarded, store
from audit.services import record
from notices.services import administrators, notify

BATCH_FILES = 64
DEFAULT_CHOICES = (("normal", "Normal"), ("abnormal", "Abnormal"))
UNLISTED = "labels.csv has no row of it: neither a label nor a patient is known"
DEFAULT_PROMPT = "What does the image show?"

Progress = Callable[[float, str], None]


class UnknownModalityError(ValueError):
    """What plain pictures are said to be is no DICOM modality."""


@dataclass(frozen=True)
class Report:
    """Every file of a delivery, counted."""

    stored: int
    duplicate: int
    quarantined: int

    @property
    def total(self) -> int:
        """All files."""
        return self.stored + self.duplicate + self.quarantined


@transaction.atomic
def open_delivery(
    *,
    project: Project,
    source_name: str,
    requested_by: User | None,
    now: datetime,
    modality: str = "OT",
    pictures_cleared: bool = True,
) -> Import:
    """Announce a delivery.

    modality:         what plain pictures (PNG, JPEG) are said to be.
    pictures_cleared: the sender vouches that no plain picture names a person; else each waits for an admin's
        eyes. DICOM of suspicious kinds waits in any case.
    raises: UnknownModalityError, QuotaError where the project's quota is used up.
    """
    check_room(project.pk)
    if modality not in MODALITIES:
        raise UnknownModalityError(
            f'modality "{modality[:16]}" is not one of DICOM: give DX, MR, CT, US, OT, …'
        )
    delivery = Import.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_name=source_name[:255],
        requested_by=requested_by,
        modality=modality,
        pictures_cleared=pictures_cleared,
        options=project.dataset.deidentification,
        created_at=now,
    )
    record(
        actor=actor_name(requested_by),
        action="import.open",
        object_type="import",
        object_id=str(delivery.pk),
        details={"project": str(project.pk), "pictures_cleared": pictures_cleared},
    )
    return delivery


def job_key(delivery: Import) -> str:
    """Name the job of a delivery: one waits at most."""
    return f"import:{delivery.pk}"


def project_named(
    *,
    name: str,
    source: Path,
    choices: Sequence[tuple[str, str]],
    created_by: User | None,
    now: datetime,
    protocol: Document | None = None,
) -> Project:
    """Find a project, or make it: by the protocol or the choices given, else those of the delivery's table.

    raises: DeliveryError where the delivery cannot be read.
    """
    found = Project.objects.filter(name=name).first()
    if found is not None:
        return found
    if protocol is not None:
        return start_project(name=name, document=protocol, now=now, created_by=created_by)
    offered = list(choices) or read_table(open_source(source).table).choices or list(DEFAULT_CHOICES)
    return create_project(name=name, choices=offered, prompt=DEFAULT_PROMPT, now=now, created_by=created_by)


def run_delivery(import_id: UUID, *, source: Path, progress: Progress) -> Report:
    """Import a delivery from where it stands to its end."""
    admit_delivery(import_id, source=source, progress=progress)
    return finish_delivery(import_id, now=timezone.now())


def admit_delivery(import_id: UUID, *, source: Path, progress: Progress) -> None:
    """Take in every file that this delivery has not counted yet.

    raises: DeliveryError where the delivery cannot be read, DoorBrokenError where the sandbox does not start.
    """
    delivery = Import.objects.select_related("dataset").get(pk=import_id)
    contents = open_source(source)
    table = read_table(contents.table)
    total = len(contents.files)
    Import.objects.filter(pk=import_id).update(state=Import.State.RUNNING, total=total, error="")
    project = Project.objects.get(pk=project_of(delivery))
    counted = set(delivery.files.values_list("path", flat=True))
    treatment = Treatment(
        modality=delivery.modality, pictures_cleared=delivery.pictures_cleared, options=delivery.options
    )
    arrivals = _arrivals(delivery, contents, table, counted)
    done = len(counted)
    with Sandbox(PROCESSES) as door:
        for batch in admitted(delivery, project, arrivals, treatment=treatment, door=door):
            done += len(batch)
            progress(done / total, f"{done} of {total} files")


def admitted(
    delivery: Import, project: Project, arrivals: Iterable[Arrival], *, treatment: Treatment, door: Sandbox
) -> Iterator[list[tuple[Judged, Taken | None]]]:
    """Take files in, batch after batch, each durable when it is given.

    gives: each file with what became of it; None where this delivery had counted it before.
    raises: DoorBrokenError, QuotaError, and what giving the arrivals raises.
    """
    room = Room(project)
    for judged in Intake(delivery.dataset, treatment, door).judged(room.passing(_batched(arrivals))):
        taken = admit_batch(delivery=delivery, project=project, judged=judged, now=timezone.now())
        by_path = {one.judged.arrival.file.path: one for one in taken}
        yield [(one, by_path.get(one.arrival.file.path)) for one in judged]
    room.check()


@transaction.atomic
def admit_batch(
    *, delivery: Import, project: Project, judged: Sequence[Judged], now: datetime
) -> list[Taken]:
    """Write a batch: its studies, cases, queue entries and the report's lines, or nothing of it.

    returns: what became of each file that this delivery has not counted before.
    """
    counts = Import.objects.select_for_update().get(pk=delivery.pk).deeds
    paths = [one.arrival.file.path for one in judged]
    counted = set(delivery.files.filter(path__in=paths).values_list("path", flat=True))
    open_ones = [one for one in judged if one.arrival.file.path not in counted]
    taken = store(dataset=delivery.dataset, judged=open_ones, project_id=project.pk, now=now)
    if delivery.site:
        name_new_series(taken, delivery.site)
    make_cases(project=project, taken=taken, now=now)
    ImportedFile.objects.bulk_create([_line(delivery, one) for one in taken])
    outcomes = [one.outcome.value for one in taken]
    Import.objects.filter(pk=delivery.pk).update(
        deeds=with_deeds(counts, taken),
        **{name: F(name) + outcomes.count(name) for name in ImportedFile.Outcome.values},
    )
    return taken


def name_new_series(taken: Iterable[Taken], site: str) -> None:
    """Say where the series were made that a delivery brings; those that are there keep their site."""
    stored = ImportedFile.Outcome.STORED
    series = {one.instance.series_id for one in taken if one.instance and one.outcome == stored}
    Series.objects.filter(pk__in=series, site="").update(site=site)


def make_cases(*, project: Project, taken: Iterable[Taken], now: datetime) -> None:
    """Make a case of every series to be read, and queue it; what is a case already stays as it is."""
    splits: dict[UUID, list[str]] = {}
    patients: dict[UUID, UUID] = {}
    for one in taken:
        if one.instance is not None and is_read(one.instance.series.modality):
            series = one.instance.series
            splits.setdefault(series.pk, []).append(one.judged.arrival.split)
            patients[series.pk] = series.study.patient_id
    items = [NewCase(key, patients[key], strictest_split(given)) for key, given in splits.items()]
    share = policy_for(project).audit_share
    add_entries(project=project, cases=add_cases(project=project, items=items, now=now, audit_share=share))


@transaction.atomic
def finish_delivery(import_id: UUID, *, now: datetime) -> Report:
    """Close a delivery and have its new images encoded."""
    delivery = Import.objects.select_for_update().get(pk=import_id)
    report = Report(delivery.stored, delivery.duplicate, delivery.quarantined)
    if delivery.state == Import.State.DONE:
        return report
    delivery.state, delivery.finished_at = Import.State.DONE, now
    delivery.save(update_fields=["state", "finished_at"])
    drop_discarded(now=now)
    if delivery.quarantined:
        tell_quarantine(delivery, now=now)
    if delivery.stored:
        ask_embed(dataset_id=delivery.dataset_id, by=delivery.requested_by)
    record(
        actor=actor_name(delivery.requested_by),
        action="import.done",
        object_type="import",
        object_id=str(import_id),
        details={"stored": report.stored, "duplicate": report.duplicate, "quarantined": report.quarantined},
    )
    return report


def tell_quarantine(delivery: Import, *, now: datetime) -> None:
    """Tell administrators that files of a delivery wait for their eyes."""
    project = Project.objects.filter(pk=project_of(delivery)).first()
    if project is not None:
        notify(
            "quarantine_waiting",
            administrators(),
            now=now,
            link=f"/projects/{project.pk}/quarantine",
            key=str(delivery.pk),
            count=delivery.quarantined,
            project=project.name,
        )


def fail_delivery(import_id: UUID, *, error: str, now: datetime) -> None:
    """Say why a delivery could not be read; what was stored before is kept."""
    Import.objects.filter(pk=import_id).update(state=Import.State.FAILED, error=error[:255], finished_at=now)


def project_of(delivery: Import) -> UUID:
    """Name the project that a delivery's files become cases of.

    raises: DeliveryError.
    """
    if delivery.project_id is None:
        raise DeliveryError("the delivery belongs to no project: open it again from a project")
    return delivery.project_id


def _arrivals(delivery: Import, contents: Delivery, table: Table, counted: set[str]) -> Iterator[Arrival]:
    key = dataset_key(delivery.dataset_id)
    for file in contents.files:
        if file.path not in counted:
            path = file.path.removeprefix(contents.base)
            row, note = table.row(path), "" if table.names(path) else UNLISTED
            yield Arrival(file, pseudonym_of(key, row.patient_id), row.split, note)


def _batched(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    waiting = iter(arrivals)
    while batch := list(itertools.islice(waiting, BATCH_FILES)):
        yield batch


def _line(delivery: Import, taken: Taken) -> ImportedFile:
    return ImportedFile(
        delivery=delivery,
        path=taken.judged.arrival.file.path,
        outcome=taken.outcome,
        reason=taken.reason or taken.judged.arrival.note,
        instance=taken.instance,
        quarantined_file=taken.quarantined_file,
    )
