"""What of a patient is kept, and where: found by pseudonym."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db.models import F, Min, Q, QuerySet, Sum

from annotation.exchange.out.models import Export
from annotation.learning.models import ModelVersion, Snapshot
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.readings.models import Reading
from annotation.studies.door.pseudonyms import keyed
from annotation.studies.keys import dataset_key, pseudonym_of
from annotation.studies.models import Dataset, Import, Instance, Patient, QuarantinedFile, Series, Study
from annotation.studies.originals import with_original

UNDER_WAY = (Import.State.RUNNING,)
UNFINISHED = (Import.State.WAITING, Import.State.FAILED)


class UnknownPatientError(RefusedError):
    """Nothing is kept of whom was asked for."""

    code = "unknown_patient"


def subject_of(dataset_id: UUID, pseudonym: str) -> str:
    """Name an erased patient so that only the Patient ID and the secret together say who it was."""
    return keyed(dataset_key(dataset_id), "erased", pseudonym).hex()


@dataclass(frozen=True)
class Belongings:
    """One patient of a data set, deleted studies of it among the rest."""

    dataset: Dataset
    pseudonym: str

    @cached_property
    def patients(self) -> QuerySet[Patient]:
        """Its row; none where all that came of it is held."""
        return Patient.objects.filter(dataset=self.dataset, pseudonym=self.pseudonym)

    @property
    def studies(self) -> QuerySet[Study]:
        """Its studies."""
        return Study.objects.filter(patient__in=self.patients)

    @property
    def series(self) -> QuerySet[Series]:
        """Its series."""
        return Series.objects.filter(study__patient__in=self.patients)

    @property
    def instances(self) -> QuerySet[Instance]:
        """Its stored images."""
        return Instance.objects.filter(series__study__patient__in=self.patients)

    @property
    def cases(self) -> QuerySet[Case]:
        """Its cases, of every project."""
        return Case.objects.filter(Q(patient__in=self.patients) | Q(series__in=self.series))

    @property
    def readings(self) -> QuerySet[Reading]:
        """What was said of them."""
        return Reading.objects.filter(case__in=self.cases)

    @property
    def held(self) -> QuerySet[QuarantinedFile]:
        """Its files that were ever in quarantine."""
        named = Q(patient=self.pseudonym) | Q(patient_id_hint=self.pseudonym)
        return QuarantinedFile.objects.filter(named, dataset=self.dataset)

    @cached_property
    def project_ids(self) -> set[UUID]:
        """Projects that have cases of it, or whose models may know it: all of its data set."""
        of_cases = self.cases.values_list("project_id", flat=True)
        return set(of_cases) | set(Project.every.filter(dataset=self.dataset).values_list("pk", flat=True))

    @cached_property
    def first_stored(self) -> datetime | None:
        """When its first image came."""
        first: datetime | None = self.instances.aggregate(first=Min("stored_at"))["first"]
        return first

    @cached_property
    def first_read(self) -> datetime | None:
        """When somebody first answered for one of its cases."""
        first: datetime | None = self.readings.aggregate(first=Min("created_at"))["first"]
        return first

    @property
    def is_there(self) -> bool:
        """Whether anything is kept of it."""
        return self.patients.exists() or self.held.exists()


@dataclass(frozen=True)
class Preview:
    """What an erasure would remove, before it is asked for."""

    belongings: Belongings
    studies: int
    series: int
    images: int
    image_bytes: int
    originals: int
    cases: int
    readings: int
    held: int
    unknown_held: int
    snapshots: int
    exports: int
    models: int
    unfinished_uploads: int
    imports_under_way: int


def find(dataset: Dataset, *, pseudonym: str, patient_id: str) -> Belongings:
    """Find a patient by pseudonym, or by the original Patient ID, which is hashed here and kept nowhere.

    raises: UnknownPatientError.
    """
    wanted = pseudonym.strip() or pseudonym_of(dataset_key(dataset.pk), patient_id)
    found = Belongings(dataset, wanted)
    if not wanted or not found.is_there:
        raise UnknownPatientError(
            "nothing is kept of this patient here: check capitals, leading zeros and spaces in the Patient ID"
        )
    return found


def preview_of(found: Belongings) -> Preview:
    """Count what would go; snapshots, exports and models at most: which hold the patient is read later."""
    since = found.first_read
    snapshots = Snapshot.objects.filter(project__in=found.project_ids, erased_members=0)
    snapshots = snapshots.filter(created_at__gte=since) if since else snapshots.none()
    stored = found.instances.aggregate(bytes=Sum(F("pixel_offset") + F("frames") * F("frame_bytes")))
    deliveries = Import.objects.filter(dataset=found.dataset)
    return Preview(
        found,
        studies=found.studies.count(),
        series=found.series.count(),
        images=found.instances.count(),
        image_bytes=stored["bytes"] or 0,
        originals=with_original(found.instances).count(),
        cases=found.cases.count(),
        readings=found.readings.count(),
        held=found.held.count(),
        unknown_held=unattributed(found.dataset).count(),
        snapshots=snapshots.count(),
        exports=Export.objects.filter(snapshot__in=snapshots, removed_at=None).count(),
        models=ModelVersion.objects.filter(snapshot__in=snapshots).count(),
        unfinished_uploads=deliveries.filter(state__in=UNFINISHED).count(),
        imports_under_way=deliveries.filter(state__in=UNDER_WAY).count(),
    )


def unattributed(dataset: Dataset) -> QuerySet[QuarantinedFile]:
    """Files in quarantine of which nobody knows whose they are."""
    kept = Q(state=QuarantinedFile.State.HELD) | Q(kept_until__isnull=False)
    return QuarantinedFile.objects.filter(kept, dataset=dataset, patient="", patient_id_hint="")
