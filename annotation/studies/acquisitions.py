"""Sites and scanners as facts: which kind of acquisition a series is, and where deliveries were made."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from annotation.studies.models import Acquisition, Import, ImportedFile, Series


class Kind(NamedTuple):
    """What tells acquisitions apart, by the names of the columns of Series and Acquisition."""

    site: str
    manufacturer: str
    manufacturer_model_name: str
    magnetic_field_strength: str
    convolution_kernel: str
    modality: str
    body_part_examined: str


def acquisitions_of(dataset_id: UUID, series: QuerySet[Series]) -> dict[UUID, int]:
    """Find or make the acquisition of each series, in the caller's transaction."""
    kinds = {key: Kind(*told) for key, *told in series.values_list("pk", *Kind._fields)}
    known = known_kinds(dataset_id)
    missing = set(kinds.values()) - set(known)
    if missing:
        made = [Acquisition(dataset_id=dataset_id, **kind._asdict()) for kind in sorted(missing)]
        Acquisition.objects.bulk_create(made, ignore_conflicts=True)
        known = known_kinds(dataset_id)
    return {key: known[kind] for key, kind in kinds.items()}


def known_kinds(dataset_id: UUID) -> dict[Kind, int]:
    """List a data set's acquisitions: some dozens, however many the images."""
    rows = Acquisition.objects.filter(dataset=dataset_id).values_list("pk", *Kind._fields)
    return {Kind(*told): key for key, *told in rows}


def series_first_in(delivery: Import) -> QuerySet[Series]:
    """List the series that came with a delivery."""
    stored = ImportedFile.objects.filter(delivery=delivery, outcome=ImportedFile.Outcome.STORED)
    return Series.objects.filter(pk__in=stored.values("instance__series")).order_by()
