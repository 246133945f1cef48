"""Models of real images, to be taken out: what production says of each case, and the pixels that it sees."""

import csv
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.utils import timezone

from annotation.exchange.imports import open_delivery, run_delivery
from annotation.learning import services
from annotation.learning.models import ModelVersion
from annotation.projects.models import Case, Project
from annotation.projects.protocols import document_of
from annotation.projects.services import start_project
from annotation.readings.models import ReferenceStandard
from mlworker import encode
from mlworker.portable.building import portable
from mlworker.portable.writing import write
from mlworker.predicting import predictions
from mlworker.vectors import store_of
from tests.mlworker.stages import refitted
from tests.mlworker.test_encode import embedded
from tests.real import real_images

CHOICES = ["no_finding", "pneumonia", "covid19"]
IMAGES = 24


def question(kind: str) -> dict[str, Any]:
    choices = [{"value": value, "label": value} for value in CHOICES]
    return {"questions": [{"key": "finding", "prompt": "What is it?", "kind": kind, "choices": choices}]}


def a_project_of(kind: str, images: list[Path], folder: Path) -> Project:
    """Real images in a project whose cases are read and encoded, with a model."""
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        (folder / f"{number:02d}{image.suffix}").write_bytes(image.read_bytes())
    project = start_project(name=f"out {kind}", document=document_of(question(kind)), now=timezone.now())
    services.set_policy(project=project, by=None, audit_share=0.0)
    delivery = open_delivery(
        project=project, source_name="images", requested_by=None, now=timezone.now(), modality="DX"
    )
    run_delivery(delivery.pk, source=folder, progress=lambda _fraction, _message: None)
    label(project, kind)
    embedded(project)
    refitted(project)
    return project


def label(project: Project, kind: str) -> None:
    """Give every case an answer, each answer often enough."""
    for number, case in enumerate(project.cases.order_by("number")):
        value = CHOICES[number % 3]
        said: Any = [value, CHOICES[2]] if kind == "multi" and number % 2 else value
        answer = said if isinstance(said, list) or kind != "multi" else [said]
        ReferenceStandard.objects.create(
            case=case, answers={"finding": answer}, readings=1, updated_at=timezone.now()
        )


def xrays() -> list[Path]:
    """Take as many real X-rays of each kind."""
    with (real_images() / "chest_xray" / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = [[row["path"] for row in rows if row["label"] == name][: IMAGES // 3] for name in sorted(CHOICES)]
    return [real_images() / "chest_xray" / path for turn in zip(*found, strict=True) for path in turn]


def predicted(version: ModelVersion) -> dict[str, np.ndarray[Any, Any]]:
    """What production predicts of each case, by the series' digest."""
    digests = list(version.project.cases.values_list("series__content_digest", flat=True))
    store = store_of(version.encoder)
    found = predictions(version, store.vectors(store.rows(digests)))
    last = found[:, :, 1] if found.shape[1] > 1 else found[:, 0]
    return dict(zip(digests, last, strict=True))


def taken_out(version: ModelVersion, name: str, folder: Path) -> Path:
    """Write a version, and unpack it."""
    target = folder / f"{name}.zip"
    report = write(version, name, target, lambda _part, _words: None)
    assert report["counts"]["answers"] == len(version.classes)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder / name)
    return folder / name


def seen_of(case: Case, version: ModelVersion) -> torch.Tensor:
    """A case's pixels as the network takes them."""
    how = portable(version).how
    pixels = encode.seen(list(case.series.instances.all()), how, how.slices)
    return torch.from_numpy(pixels).permute(1, 2, 3, 0)[None]
