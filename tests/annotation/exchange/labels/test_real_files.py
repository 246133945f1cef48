"""Label files that others made of real images: masks of volumes, tables, boxes named by original UIDs."""

import csv
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.utils import timezone

from annotation.exchange.imports import project_named
from annotation.projects.masks import Mask, voxels
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.services import start_project
from annotation.readings.models import Source
from annotation.readings.selectors import revisions_in_force
from annotation.studies.door.pseudonyms import new_uid
from annotation.studies.keys import dataset_key
from annotation.studies.models import Instance
from tests.annotation.exchange.labels.conftest import brought, problems_in, revision_in
from tests.annotation.exchange.out.conftest import imported, labels
from tests.annotation.exchange.out.test_real_images import as_series

pytestmark = pytest.mark.django_db
NIFTI: Any = nib
REGIONS = [
    {
        "key": "hippocampus",
        "prompt": "Paint",
        "kind": "segmentation",
        "classes": labels("anterior", "posterior"),
    }
]


def asking(name: str, questions: list[dict[str, Any]]) -> Project:
    """A project that asks these questions."""
    return start_project(name=name, document=document_of({"questions": questions}), now=timezone.now())


def test_real_masks_lie_on_their_series_by_where_both_lie_in_the_patient(
    real_data: Path, tmp_path: Path
) -> None:
    source, delivery = real_data / "hippocampus_mr", tmp_path / "delivery"
    project, masks = asking("hippocampus", REGIONS), tmp_path / "labels"
    masks.mkdir()
    paths = sorted((source / "images").glob("*.nii.gz"))[:3]
    for number, path in enumerate(paths):
        folder = delivery / path.name.removesuffix(".nii.gz")
        folder.mkdir(parents=True)
        as_series(NIFTI.load(path), number, folder)
        mask = NIFTI.load(source / "labels" / path.name)
        kept = mask if number else turned_about(mask)
        kept.header["descrip"] = stored_series(project, number).encode()
        NIFTI.save(kept, masks / f"{number}.nii.gz")
    imported(project, delivery)
    found = brought(project, masks, "nifti", {"1": "hippocampus:anterior", "2": "hippocampus:posterior"})
    assert (found.counts["new"], problems_in(found)) == (3, [])
    for number, path in enumerate(paths):
        case = project.cases.get(series__series_instance_uid=stored_series(project, number))
        mask = Mask.model_validate(revisions_in_force().get(reading__case=case).answers["hippocampus"])
        truth = np.asanyarray(NIFTI.load(source / "labels" / path.name).dataobj)
        for value, label in ((1, "anterior"), (2, "posterior")):
            assert int(voxels(mask, label).sum()) == int((truth == value).sum())


def turned_about(image: Any) -> Any:
    """The same voxels, stored from the other side, their axes in another order."""
    back = np.eye(4)
    back[0, 0], back[0, 3] = -1, image.shape[0] - 1
    order = np.eye(4)[[1, 0, 2, 3]]
    values = np.asanyarray(image.dataobj)[::-1].transpose(1, 0, 2)
    return NIFTI.Nifti1Image(values, image.affine @ back @ order)


def stored_series(project: Project, number: int) -> str:
    """What de-identification made of a series' UID."""
    return new_uid(dataset_key(project.dataset_id), f"1.2.826.0.1.3680043.10.95.{number}")


def test_label_files_of_a_real_data_set_find_the_volumes_of_their_name(
    real_data: Path, tmp_path: Path
) -> None:
    source, delivery = real_data / "hippocampus_mr", tmp_path / "delivery"
    project = asking("volumes", REGIONS)
    paths = sorted((source / "images").glob("*.nii.gz"))[:2]
    (delivery / "images").mkdir(parents=True)
    for path in paths:
        (delivery / "images" / path.name).write_bytes(path.read_bytes())
    imported(project, delivery, modality="MR")
    found = brought(
        project, source / "labels", "nifti", {"1": "hippocampus:anterior", "2": "hippocampus:posterior"}
    )
    assert (found.counts["new"], found.counts["invalid"]) == (2, 0)
    assert {words.partition(": ")[2] for words in problems_in(found)} == {
        "no stored file has this name: import the image first, or name it as it was sent"
    }
    counted = {
        label: sorted(
            int(voxels(Mask.model_validate(one["hippocampus"]), label).sum())
            for one in revisions_in_force().values_list("answers", flat=True)
        )
        for label in ("anterior", "posterior")
    }
    truth = [np.asanyarray(NIFTI.load(source / "labels" / path.name).dataobj) for path in paths]
    assert counted == {
        label: sorted(int((one == number).sum()) for one in truth)
        for number, label in ((1, "anterior"), (2, "posterior"))
    }


def test_a_mask_of_another_size_is_refused_in_words(real_data: Path, tmp_path: Path) -> None:
    source, delivery = real_data / "hippocampus_mr", tmp_path / "delivery" / "hippocampus_281"
    project = asking("odd", REGIONS)
    delivery.mkdir(parents=True)
    as_series(NIFTI.load(sorted((source / "images").glob("*.nii.gz"))[0]), 0, delivery)
    imported(project, delivery.parent)
    kept = NIFTI.load(source / "odd" / "label_hippocampus_281.nii.gz")
    kept.header["descrip"] = stored_series(project, 0).encode()
    NIFTI.save(kept, tmp_path / "mask.nii.gz")
    mapping = {"1": "hippocampus:anterior", "2": "hippocampus:posterior"}
    found = brought(project, tmp_path / "mask.nii.gz", "nifti", mapping)
    assert found.counts["new"] == 0
    assert problems_in(found)


def test_the_table_of_a_real_data_set_labels_its_pictures(real_data: Path, tmp_path: Path) -> None:
    source, delivery = real_data / "brain_mri", tmp_path / "brain"
    rows = list(csv.DictReader((source / "labels.csv").read_text().splitlines()))
    chosen = rows[::400]
    for row in chosen:
        target = delivery / row["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / row["path"]).read_bytes())
    choices = [(value, value) for value in ("glioma", "meningioma", "no_tumor", "pituitary")]
    project = project_named(
        name="brain", source=delivery, choices=choices, created_by=None, now=timezone.now()
    )
    imported(project, delivery, modality="MR")
    found = brought(project, source / "labels.csv", "csv", {"label": "finding"}, use=Source.Use.REFERENCE)
    assert (found.counts["new"], found.counts["invalid"]) == (len(chosen), 0)
    assert found.counts["unmatched"] == len(rows) - len(chosen)
    given = revisions_in_force().values_list("answers__finding", flat=True)
    assert sorted(given) == sorted(row["label"] for row in chosen)
    assert project.cases.filter(reference__isnull=False).count() == len(chosen)


def test_boxes_that_are_named_by_original_uids_find_their_slices(real_data: Path) -> None:
    source = real_data / "chest_ct"
    project = asking(
        "tumour", [{"key": "tumour", "prompt": "Box", "kind": "box", "labels": labels("adenocarcinoma")}]
    )
    imported(project, source)
    folder = source / "Lung_Dx-A0001" / "annotations_voc"
    found = brought(project, folder, "voc", {"A": "tumour:adenocarcinoma"})
    assert (found.counts["new"], problems_in(found)) == (1, [])
    boxes = revision_in(project).answers["tumour"]
    assert len(boxes) == len(list(folder.glob("*.xml"))) == 11
    stored = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    assert {one["image"] for one in boxes} <= stored
