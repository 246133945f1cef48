"""Deliveries as tests make them."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.exchange.imports import Report, open_delivery, run_delivery
from annotation.projects.models import Project
from annotation.studies.models import Import
from tests import phantoms
from tests.factories import a_project

Deliver = Callable[..., tuple[Import, Report]]


@pytest.fixture
def project(db: None) -> Project:
    """A project to import into."""
    return a_project()


@pytest.fixture
def deliver(project: Project) -> Deliver:
    """Import a source into the project."""

    def delivered(source: Path, **settings: Any) -> tuple[Import, Report]:
        delivery = open_delivery(
            project=project, source_name=source.name, requested_by=None, now=timezone.now(), **settings
        )
        report = run_delivery(delivery.pk, source=source, progress=lambda _fraction, _message: None)
        delivery.refresh_from_db()
        return delivery, report

    return delivered


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A delivery: four pictures, a series of three slices, an ultrasound image, a text, and its table."""
    root = tmp_path / "delivery"
    for number in range(4):
        write(root, f"pictures/{number}.png", phantoms.png(phantoms.chest(number)))
    for number, content in enumerate(phantoms.series(3), start=1):
        write(root, f"ct/{number}.dcm", content)
    ultrasound = phantoms.a_slice(9, modality="US")
    ultrasound.SeriesInstanceUID, ultrasound.PatientID = "1.2.826.0.1.3680043.10.997.9", "PHANTOM-9"
    write(root, "us.dcm", phantoms.dicom(ultrasound))
    write(root, "notes.txt", b"not an image")
    write(root, "labels.csv", TABLE)
    return root


TABLE = b"""path,label,patient_id,split
pictures/0.png,normal,a,train
pictures/1.png,pneumonia,a,train
pictures/2.png,normal,b,test
pictures/3.png,pneumonia,c,
"""


def write(root: Path, path: str, content: bytes) -> None:
    """Put a file into a delivery."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def a_zip(target: Path, members: Mapping[str, bytes]) -> Path:
    """Pack members as they are named, whatever their names are."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def outcomes(delivery: Import) -> dict[str, tuple[str, str]]:
    """Outcome and reason of each file."""
    rows = delivery.files.values_list("path", "outcome", "reason")
    return {path: (outcome, reason) for path, outcome, reason in rows}
