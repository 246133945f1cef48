"""Real images, drawn on and exported: volumes with their masks, nuclei, conformant DICOM of many kinds."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from annotation.exchange.coco_runs import pixels_of
from annotation.exchange.out.frozen import Frozen
from annotation.projects.masks import written
from annotation.projects.models import Case, Project
from annotation.readings.measuring import stack_of
from tests import phantoms
from tests.annotation.exchange.out.conftest import (
    Exported,
    a_drawing_project,
    a_mask,
    drawn_on,
    frozen,
    imported,
    read_all,
)

pytestmark = pytest.mark.django_db
NIFTI: Any = nib
ITK: Any = SimpleITK


@pytest.fixture
def project() -> Project:
    return a_drawing_project()


def as_series(image: Any, number: int, folder: Path) -> None:
    """Write a volume as a DICOM series that lies where the volume lies."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    values = np.asanyarray(image.dataobj).astype(np.int16)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    for k in range(values.shape[2]):
        made = phantoms.a_slice(k + 1, modality="MR")
        made.PatientID = f"H{number}"
        made.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.95.{number}"
        made.StudyInstanceUID = f"1.2.826.0.1.3680043.10.94.{number}"
        made.SOPInstanceUID = f"1.2.826.0.1.3680043.10.93.{number}.{k + 1}"
        made.FrameOfReferenceUID = f"1.2.826.0.1.3680043.10.92.{number}"
        made.RescaleSlope, made.RescaleIntercept = 1, 0
        phantoms.fill(made, np.ascontiguousarray(values[:, :, k].T))
        made.ImageOrientationPatient = [
            f"{v:.10g}" for v in (*affine[:3, 0] / steps[0], *affine[:3, 1] / steps[1])
        ]
        made.ImagePositionPatient = [f"{value:.10g}" for value in (affine @ (0, 0, k, 1))[:3]]
        made.PixelSpacing, made.SliceThickness = [steps[1], steps[0]], steps[2]
        (folder / f"{number}-{k:03d}.dcm").write_bytes(phantoms.dicom(made))


def turned(image: Any) -> Any:
    """The same voxels, turned and stretched: oblique and anisotropic."""
    row, column = np.array(phantoms.OBLIQUE[:3]), np.array(phantoms.OBLIQUE[3:])
    turn = np.eye(4)
    turn[:3, :3] = np.linalg.qr(np.array([row, column, np.cross(row, column)]).T)[0]
    affine = turn @ np.diag([0.7, 0.9, 2.5, 1.0]) @ image.affine
    return NIFTI.Nifti1Image(np.asanyarray(image.dataobj), affine)


def members(path: Path, suffix: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(suffix)}


def loaded(content: bytes) -> Any:
    return NIFTI.Nifti1Image.from_bytes(gzip.decompress(content))


@pytest.fixture
def volumes(real_data: Path, tmp_path: Path) -> dict[int, tuple[Any, Any]]:
    """Three real volumes with their masks by the sum of their values, one of them oblique; their delivery."""
    source, delivery = real_data / "hippocampus_mr", tmp_path / "delivery"
    delivery.mkdir()
    found: dict[int, tuple[Any, Any]] = {}
    for number, path in enumerate(sorted((source / "images").glob("*.nii*"))[:3]):
        image, mask = NIFTI.load(path), NIFTI.load(source / "labels" / path.name)
        if number == 2:
            image, mask = turned(image), turned(mask)
        as_series(image, number, delivery)
        found[int(np.asanyarray(image.dataobj).astype(np.int16).sum(dtype=int))] = (image, mask)
    return found


def sum_of(case: Case) -> int:
    pictures = stack_of(case.series).pictures
    return int(sum(np.frombuffer(one.content, "<i2").astype(int).sum() for one in pictures))


def test_masks_of_real_volumes_come_out_voxel_for_voxel_where_they_lay(
    project: Project, volumes: dict[int, tuple[Any, Any]], exported: Exported, tmp_path: Path
) -> None:
    imported(project, tmp_path / "delivery")

    def by_image(case: Case) -> Mapping[str, Any]:
        stack = stack_of(case.series)
        drawn = np.asanyarray(volumes[sum_of(case)][1].dataobj).transpose(2, 1, 0)
        mask = a_mask(stack, range(len(stack.pictures)), lung=drawn == 1, heart=drawn == 2)
        return {"finding": "normal", "organs": mask}

    read_all(project, by_image)
    found = members(exported(frozen(project), "nifti"), ".nii.gz")
    assert project.cases.count() == len(volumes) == 3
    for case in project.cases.all():
        image, mask = volumes[sum_of(case)]
        (out,) = [one for name, one in found.items() if name.startswith(f"images/case_{case.number:06d}")]
        (drawn,) = [one for name, one in found.items() if name.startswith(f"masks/case_{case.number:06d}")]
        stored = np.asanyarray(image.dataobj).astype(np.int16)
        assert np.array_equal(np.asanyarray(loaded(out).dataobj), stored)
        assert np.array_equal(np.asanyarray(loaded(drawn).dataobj), np.asanyarray(mask.dataobj))
        assert loaded(out).affine == pytest.approx(image.affine, abs=1e-3)
        check_corner(drawn, image.affine, tmp_path / "out.nii.gz")


def check_corner(content: bytes, affine: np.ndarray, path: Path) -> None:
    """SimpleITK finds the last voxel where the original has it."""
    path.write_bytes(content)
    again = ITK.ReadImage(str(path))
    corner = tuple(size - 1 for size in again.GetSize())
    wanted = (affine @ (*corner, 1))[:3] * (-1, -1, 1)
    assert again.TransformIndexToPhysicalPoint(corner) == pytest.approx(tuple(wanted), abs=0.01)


Picture = tuple[int, int, int]


@pytest.fixture
def nuclei(real_data: Path, tmp_path: Path) -> dict[Picture, np.ndarray]:
    """Masks of four real pictures, by rows, columns and sum of their values; their delivery."""
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    found: dict[Picture, np.ndarray] = {}
    for path in sorted((real_data / "nuclei" / "masks").glob("*.png"))[:4]:
        picture = np.asarray(Image.open(real_data / "nuclei" / "images" / path.name).convert("L"))
        (delivery / path.name).write_bytes(phantoms.png(picture))
        found[picture.shape[0], picture.shape[1], int(picture.sum())] = np.asarray(Image.open(path)) > 0
    return found


def named(case: Case) -> tuple[Picture, str]:
    (picture,) = stack_of(case.series).pictures
    rows, columns = picture.attributes["Rows"], picture.attributes["Columns"]
    values = np.frombuffer(picture.content, np.uint8)[: rows * columns]
    return (rows, columns, int(values.sum())), picture.sop_instance_uid


def test_nuclei_come_out_as_coco_masks_pixel_for_pixel(
    project: Project, nuclei: dict[Picture, np.ndarray], exported: Exported, tmp_path: Path
) -> None:
    imported(project, tmp_path / "delivery", modality="SM")

    def answers(case: Case) -> Mapping[str, Any]:
        name, uid = named(case)
        drawn = nuclei[name][None]
        return {"finding": "normal", "organs": written(drawn.shape, [uid], {"lung": drawn})}

    read_all(project, answers)
    snapshot = frozen(project)
    target = exported(snapshot, "coco")
    listed = annotations_in(target)
    pictures = members(target, ".png")
    assert len(listed) == len(pictures) == 4
    for case in project.cases.all():
        (name,) = [one for one in listed if f"case_{case.number:06d}" in one]
        (annotation,) = listed[name]
        drawn = nuclei[named(case)[0]]
        assert np.array_equal(pixels_of(annotation["segmentation"]), drawn)
        shown = np.asarray(Image.open(io.BytesIO(pictures[f"images/{name}"])))
        assert (*shown.shape, int(shown.sum())) in nuclei
    assert members(exported(snapshot, "voc"), ".xml")
    assert members(exported(snapshot, "yolo"), ".txt")


def annotations_in(target: Path) -> dict[str, list[Any]]:
    """Annotations by picture."""
    found: dict[str, list[Any]] = {}
    for name, content in members(target, ".json").items():
        one = json.loads(content) if name.startswith("annotations/") else {"images": []}
        for image in one["images"]:
            found[image["file_name"]] = [a for a in one["annotations"] if a["image_id"] == image["id"]]
    return found


ENDINGS = {
    "dicom-seg": ".dcm",
    "dicom-seg-labelmap": ".dcm",
    "dicom-sr": ".dcm",
    "dicom-rtstruct": ".dcm",
    "nifti": ".nii.gz",
    "coco": ".png",
}


def test_conformant_dicom_of_many_kinds_is_exported_or_left_out_in_words(
    project: Project, real_data: Path, exported: Exported
) -> None:
    imported(project, real_data / "dicom_valid")
    read_all(project, drawn_on)
    snapshot = frozen(project)
    read = [case for case in Frozen(snapshot).cases() if case.newest()]
    assert len(read) >= 20
    counts = {}
    for name, ending in ENDINGS.items():
        target = exported(snapshot, name)
        files = members(target, ending)
        told = next(iter(members(target, "left_out.csv").values())).decode().splitlines()[1:]
        counts[name] = (len(files), len(told))
        assert len(files) + len(told) >= len(read), name
    assert all(files >= 8 for files, _ in counts.values()), counts
