"""Cases whose pixels and geometry are known: anisotropic, with a modality's slope and intercept."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.projects.models import Case, Project, Protocol
from annotation.projects.protocols import document_of
from annotation.projects.services import NewCase, add_cases
from annotation.studies.models import Instance
from tests import factories

ROWS, COLUMNS = 8, 6
SPACING: dict[str, Any] = {"PixelSpacing": [0.5, 0.25]}
CT: dict[str, Any] = {"RescaleSlope": 2.0, "RescaleIntercept": -1000.0}
AXIAL = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}


def ramp(number: int) -> np.ndarray:
    """Signed pixels of slice `number`: 100 · number + 10 · row + column."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    return np.asarray(100 * number + 10 * rows + columns, dtype="<i2")


def a_case(project: Project, slices: int = 1, *, frames: int = 1, **attributes: Any) -> Case:
    """A case of ramps; its instances are stored in an order that is not that of their positions."""
    (series,) = factories.some_series(project.dataset)
    series.instances.all().delete()
    for number in range(1, slices + 1):
        content = b"".join(ramp(number * frame).tobytes() for frame in range(1, frames + 1))
        described = _attributes(number, frames) | attributes
        if slices > 1:
            described |= AXIAL | {"ImagePositionPatient": [0.0, 0.0, 2.5 * (slices - number)]}
        _store(series, number, content, described)
    item = NewCase(series_id=series.pk, patient_id=series.study.patient_id)
    (case,) = add_cases(project=project, items=[item], now=timezone.now(), audit_share=0.0)
    return case


def _attributes(number: int, frames: int) -> dict[str, Any]:
    return factories.attributes_of(frames) | {
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "InstanceNumber": number,
    }


def _store(series: Any, number: int, content: bytes, attributes: dict[str, Any]) -> None:
    digest = hashlib.sha256(content + repr(attributes).encode()).hexdigest()
    default_storage.save(f"instances/{digest[:2]}/{digest}.dcm", ContentFile(content))
    Instance.objects.create(
        dataset=series.study.dataset,
        series=series,
        sop_instance_uid=factories.a_uid(),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        instance_number=number,
        digest=digest,
        source_digest=digest,
        frames=attributes["NumberOfFrames"],
        pixel_offset=0,
        frame_bytes=2 * ROWS * COLUMNS * attributes.get("SamplesPerPixel", 1),
        attributes=attributes,
        stored_at=timezone.now(),
    )


def uids(case: Case) -> list[str]:
    """SOP Instance UIDs of a case by instance number."""
    return list(case.series.instances.order_by("instance_number").values_list("sop_instance_uid", flat=True))


def ask(project: Project, questions: Sequence[dict[str, Any]]) -> Protocol:
    """Put a protocol in force, as its next version."""
    document_of({"questions": list(questions)})
    version = project.protocols.count() + 1
    return Protocol.objects.create(
        project=project, version=version, questions=list(questions), created_at=timezone.now()
    )
