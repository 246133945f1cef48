"""Rows of many studies without pixels, for searches: a block is 100 studies of two series of 25 instances."""

import uuid

from django.utils import timezone

from annotation.projects.models import Case, Project
from annotation.studies.models import Dataset, Instance, Patient, Series, Study

STUDIES_A_BLOCK, SERIES_A_STUDY, INSTANCES_A_SERIES = 100, 2, 25
INSTANCES_A_BLOCK = STUDIES_A_BLOCK * SERIES_A_STUDY * INSTANCES_A_SERIES
MODALITIES = ("CT", "MR", "PT", "DX")
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def fill(project_id: str, instances: int) -> int:
    """Make so many instances; gives how many there are."""
    project = Project.objects.select_related("dataset").get(pk=project_id)
    for block in range(max(1, instances // INSTANCES_A_BLOCK)):
        series = a_block(project.dataset, block)
        Case.objects.bulk_create(a_case(project, one, block, place) for place, one in enumerate(series))
        rows = (an_instance(one, number) for one in series for number in range(1, INSTANCES_A_SERIES + 1))
        Instance.objects.bulk_create(rows, batch_size=1000)
    return Instance.objects.count()


def a_block(dataset: Dataset, block: int) -> list[Series]:
    """Make patients with a study each, and their series."""
    patients = Patient.objects.bulk_create(
        Patient(dataset=dataset, pseudonym=f"P{uuid.uuid4().hex[:20].upper()}")
        for _ in range(STUDIES_A_BLOCK)
    )
    studies = Study.objects.bulk_create(
        Study(
            dataset=dataset,
            patient=one,
            study_instance_uid=a_uid(),
            study_date=f"20{block % 20:02}01{1 + place % 28:02}",
            study_time="101500",
        )
        for place, one in enumerate(patients)
    )
    return Series.objects.bulk_create(
        Series(
            study=one,
            series_instance_uid=a_uid(),
            modality=MODALITIES[(place + number) % len(MODALITIES)],
            series_number=number,
            manufacturer="GE",
        )
        for place, one in enumerate(studies)
        for number in range(SERIES_A_STUDY)
    )


def a_case(project: Project, series: Series, block: int, place: int) -> Case:
    """Describe a case of a series, not saved yet."""
    number = block * STUDIES_A_BLOCK * SERIES_A_STUDY + place + 1_000_000
    return Case(
        project=project,
        series=series,
        patient=series.study.patient,
        number=number,
        stream=Case.Stream.POOL,
        created_at=timezone.now(),
    )


def an_instance(series: Series, number: int) -> Instance:
    """Describe a CT slice, not saved yet."""
    digest = uuid.uuid4().hex * 2
    return Instance(
        dataset_id=series.study.dataset_id,
        series=series,
        sop_instance_uid=a_uid(),
        sop_class_uid=CT_IMAGE,
        instance_number=number,
        digest=digest,
        source_digest=digest,
        rows=512,
        columns=512,
        bits_allocated=16,
        pixel_offset=1000,
        frame_bytes=512 * 512 * 2,
        attributes={"Rows": 512, "Columns": 512, "RescaleSlope": 1.0, "RescaleIntercept": -1024.0},
        stored_at=timezone.now(),
    )


def a_uid() -> str:
    """Make a UID from a UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"
