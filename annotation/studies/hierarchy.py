"""Patient, study and series of a batch of images: found or made, in a few queries however many the images."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from annotation.studies.door.verdict import Facts
from annotation.studies.models import Dataset, Patient, Series, Study

TEXT, DATE, TIME, STRENGTH = 64, 8, 16, 16
LARGEST = 2**31 - 1


def series_of(dataset: Dataset, facts: Sequence[Facts]) -> dict[str, Series]:
    """Find or make series by UID; each stays in the study and with the patient of its first file."""
    wanted = {one.series_instance_uid: one for one in facts}
    found = _series_there(dataset, wanted)
    missing = [one for uid, one in wanted.items() if uid not in found]
    if missing:
        studies = _studies(dataset, missing)
        Series.objects.bulk_create([_series(one, studies[one.study_instance_uid]) for one in missing])
        found = _series_there(dataset, wanted)
    return found


def _series_there(dataset: Dataset, wanted: Collection[str]) -> dict[str, Series]:
    rows = series_named(wanted)
    return {one.series_instance_uid: one for one in rows if one.study.dataset_id == dataset.pk}


def series_named(uids: Collection[str]) -> QuerySet[Series]:
    """List series of any data set by UID, off its index: by data set, all its studies would be walked."""
    return Series.objects.filter(series_instance_uid__in=uids).select_related("study")


def _series(facts: Facts, study: Study) -> Series:
    return Series(
        study=study,
        series_instance_uid=facts.series_instance_uid,
        modality=facts.modality[:16],
        body_part_examined=facts.body_part_examined[:TEXT],
        manufacturer=facts.manufacturer[:TEXT],
        manufacturer_model_name=facts.manufacturer_model_name[:TEXT],
        magnetic_field_strength=facts.magnetic_field_strength[:STRENGTH],
        convolution_kernel=facts.convolution_kernel[:TEXT],
        series_number=number_in(facts.attributes, "SeriesNumber"),
        series_date=date_in(facts.attributes, "SeriesDate"),
        series_time=time_in(facts.attributes, "SeriesTime"),
    )


def _studies(dataset: Dataset, facts: Sequence[Facts]) -> dict[str, Study]:
    wanted = {one.study_instance_uid: one for one in facts}
    rows = Study.objects.filter(dataset=dataset, study_instance_uid__in=wanted)
    found = {one.study_instance_uid: one for one in rows}
    missing = [one for uid, one in wanted.items() if uid not in found]
    patients = _patients(dataset, {one.patient for one in missing})
    made = [
        Study(
            dataset=dataset,
            patient=patients[one.patient],
            study_instance_uid=one.study_instance_uid,
            study_date=date_in(one.attributes, "StudyDate"),
            study_time=time_in(one.attributes, "StudyTime"),
        )
        for one in missing
    ]
    Study.objects.bulk_create(made)
    return found | {one.study_instance_uid: one for one in made}


def _patients(dataset: Dataset, pseudonyms: set[str]) -> dict[str, Patient]:
    rows = Patient.objects.filter(dataset=dataset, pseudonym__in=pseudonyms)
    found = {one.pseudonym: one for one in rows}
    made = [Patient(dataset=dataset, pseudonym=name) for name in sorted(pseudonyms - set(found))]
    Patient.objects.bulk_create(made)
    return found | {one.pseudonym: one for one in made}


def date_in(attributes: Mapping[str, Any], keyword: str) -> str:
    """Read a date (DA); "" where it is absent."""
    return str(attributes.get(keyword, ""))[:DATE]


def time_in(attributes: Mapping[str, Any], keyword: str) -> str:
    """Read a time (TM); "" where it is absent."""
    return str(attributes.get(keyword, ""))[:TIME]


def number_in(attributes: Mapping[str, Any], keyword: str) -> int:
    """Read a whole number that a table's column holds; 0 where it is absent or no such number."""
    found = attributes.get(keyword)
    return found if isinstance(found, int) and abs(found) <= LARGEST else 0
