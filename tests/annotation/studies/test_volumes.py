"""NIfTI, NRRD, MetaImage and TIFF become DICOM: every voxel and its place as SimpleITK reads them."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.annotation.studies.conftest import Judge, file_of

CLEARED = {"pictures_cleared": True, "modality": "MR"}
SIZE = (7, 5, 4)  # columns, rows, slices
TILTED = (0.96, -0.28, 0.0, 0.28, 0.96, 0.0, 0.0, 0.0, 1.0)
# Rows to the head and columns to the back: sagittal, slices from left to right against the normal.
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
NIFTI: Any = nibabel.Nifti1Image
FORMATS = ("nii", "nii.gz", "nrrd", "mha")
KINDS = ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")


def a_volume(kind: str, direction: Sequence[float] = TILTED) -> Any:
    """Random voxels over the range of the kind, with a place in the patient."""
    draw = np.random.default_rng(7)
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        values = draw.normal(0, 100, SIZE[::-1]).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        values = draw.integers(limits.min, limits.max, SIZE[::-1], dtype=dtype, endpoint=True)
    image: Any = SimpleITK.GetImageFromArray(values)
    image.SetSpacing((0.75, 1.25, 2.5))
    image.SetOrigin((-12.5, 30.25, -7.0))
    image.SetDirection(direction)
    return image


def written(image: Any, folder: Path, suffix: str) -> bytes:
    path = folder / f"volume.{suffix}"
    SimpleITK.WriteImage(image, path, suffix in {"nrrd", "mha"})
    return path.read_bytes()


def values_of(stored: Dataset) -> np.ndarray:
    """Give (frame, row, column) in the file's own values."""
    pixels: np.ndarray = stored.pixel_array.reshape(-1, stored.Rows, stored.Columns).astype(np.float64)
    return pixels * float(stored.get("RescaleSlope", 1)) + float(stored.get("RescaleIntercept", 0))


def places_of(stored: Dataset) -> np.ndarray:
    """Give the place of every voxel, (frame, row, column, xyz) in mm, by PS3.3 C.7.6.2.1.1."""
    shared = stored.SharedFunctionalGroupsSequence[0]
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    down, across = (float(one) for one in shared.PixelMeasuresSequence[0].PixelSpacing)
    origins = np.array(
        [
            [float(x) for x in one.PlanePositionSequence[0].ImagePositionPatient]
            for one in stored.PerFrameFunctionalGroupsSequence
        ]
    )
    columns = np.arange(stored.Columns)[:, None] * across * directions[0]
    rows = np.arange(stored.Rows)[:, None, None] * down * directions[1]
    places: np.ndarray = origins[:, None, None, :] + rows[None] + columns[None, None]
    return places


def rounded(place: Sequence[float]) -> tuple[float, ...]:
    return tuple(np.round(np.array(place), 3) + 0.0)


def by_place(image: Any) -> dict[tuple[float, ...], float]:
    """Values by the places where SimpleITK says that they are."""
    array = SimpleITK.GetArrayFromImage(image)
    columns, rows, slices = image.GetSize()
    return {
        tuple(np.round(np.array(image.TransformIndexToPhysicalPoint((i, j, k))), 3) + 0.0): float(
            array[k, j, i]
        )
        for k in range(slices)
        for j in range(rows)
        for i in range(columns)
    }


def compare(stored: Dataset, image: Any) -> None:
    places = np.round(places_of(stored), 3).reshape(-1, 3) + 0.0
    ours = dict(zip(map(tuple, places), values_of(stored).ravel(), strict=True))
    assert ours == by_place(image)
    normal = np.cross(*np.array(orientation_of(stored), float).reshape(2, 3))
    heights = places_of(stored)[:, 0, 0] @ normal
    assert np.all(np.diff(heights) > 0)


def orientation_of(stored: Dataset) -> Any:
    return stored.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_voxel_is_where_simpleitk_has_it(judge: Judge, tmp_path: Path, suffix: str, kind: str) -> None:
    content = written(a_volume(kind), tmp_path, suffix)
    answer = judge(content, **CLEARED)
    compare(dcmread(file_of(answer)), SimpleITK.ReadImage(tmp_path / f"volume.{suffix}"))
    assert answer.facts.frames == SIZE[2]
    assert answer.facts.modality == "MR"


@pytest.mark.parametrize("suffix", FORMATS)
def test_slices_against_the_normal_are_turned(judge: Judge, tmp_path: Path, suffix: str) -> None:
    image = a_volume("int16", SAGITTAL)
    answer = judge(written(image, tmp_path, suffix), **CLEARED)
    compare(dcmread(file_of(answer)), SimpleITK.ReadImage(tmp_path / f"volume.{suffix}"))
    per_frame = answer.facts.attributes["PerFrame"]
    assert len(per_frame) == SIZE[2]
    assert "ImagePositionPatient" in per_frame[0]
    assert "ImageOrientationPatient" in answer.facts.attributes


def test_real_volumes_are_where_simpleitk_has_them(judge: Judge, real_data: Path) -> None:
    for path in sorted((real_data / "hippocampus_mr" / "images").glob("*.nii.gz"))[:3]:
        stored = dcmread(file_of(judge(path.read_bytes(), **CLEARED)))
        compare(stored, SimpleITK.ReadImage(path))


def test_a_nifti_s_slope_is_kept(judge: Judge, tmp_path: Path) -> None:
    nifti = NIFTI(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2, 2, 2, 1]))
    nifti.header.set_slope_inter(0.5, -3)
    nibabel.save(nifti, tmp_path / "scaled.nii")
    stored = dcmread(file_of(judge((tmp_path / "scaled.nii").read_bytes(), **CLEARED)))
    compare(stored, SimpleITK.ReadImage(tmp_path / "scaled.nii"))
    assert float(stored.RescaleSlope) == 0.5


def test_a_header_that_places_nothing_gives_no_place(judge: Judge) -> None:
    nifti = NIFTI(np.arange(60, dtype=np.int16).reshape(3, 4, 5), None)
    nifti.header.set_zooms((2, 3, 4))
    answer = judge(nifti.to_bytes(), **CLEARED)
    assert "ImageOrientationPatient" not in answer.facts.attributes
    assert answer.facts.attributes["PixelSpacing"] == [3.0, 2.0]


def refused(judge: Judge, content: bytes) -> str:
    answer = judge(content, **CLEARED)
    assert answer.verdict.outcome == "rejected"
    return answer.verdict.reason


def a_nifti(shape: tuple[int, ...], dtype: Any = np.int16, affine: Any = None) -> bytes:
    values = np.random.default_rng(1).integers(0, 255, shape).astype(dtype)
    content: bytes = NIFTI(values, np.eye(4) if affine is None else affine).to_bytes()
    return content


def test_what_is_no_single_volume_is_refused_with_its_reason(judge: Judge) -> None:
    assert "4 axes (4 × 5 × 6 × 3)" in refused(judge, a_nifti((4, 5, 6, 3)))
    assert judge(a_nifti((4, 5, 6, 1)), **CLEARED).facts.frames == 6
    skewed = np.array([[1.0, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert "right angles" in refused(judge, a_nifti((4, 5, 6), affine=skewed))
    assert "colours" in refused(judge, a_nifti((4, 5, 6), np.complex64))
    assert "fewer voxels" in refused(judge, a_nifti((4, 5, 6))[:-2])
    assert "many files" in refused(judge, b"ObjectType = Image\nElementDataFile = LIST\nx")
    lines = ("NRRD0004", "type: short", "dimension: 3", "sizes: 2 2 2", "encoding: raw", "endian: little")
    detached = "\n".join([*lines, "data file: a.raw", "", ""]).encode()
    assert "another file" in refused(judge, detached)


def test_a_bomb_is_held_to_what_its_header_claims(judge: Judge) -> None:
    volume = a_nifti((4, 5, 6))
    assert judge(gzip.compress(volume + bytes(64 * 2**20)), **CLEARED).facts.frames == 6
    huge = bytearray(volume[:352])
    huge[42:48] = np.array([9000, 9000, 300], "<i2").tobytes()
    assert "voxels are more than" in refused(judge, gzip.compress(bytes(huge)))


def test_the_odd_files_are_refused_or_admitted_with_their_reasons(judge: Judge, real_data: Path) -> None:
    odd = real_data / "hippocampus_mr" / "odd"
    for name in ("label_hippocampus_010.nii.gz", "label_hippocampus_281.nii.gz"):
        assert "looks like a mask (values 0, 1" in refused(judge, (odd / name).read_bytes())
    assert judge((odd / "image_hippocampus_118.nii.gz").read_bytes(), **CLEARED).facts.frames == 33


def test_nobody_s_word_means_that_eyes_are_needed(judge: Judge) -> None:
    assert judge(a_nifti((4, 5, 6))).verdict.outcome == "pixels"


def test_what_a_header_says_of_the_patient_is_gone(judge: Judge) -> None:
    nifti = NIFTI(np.random.default_rng(1).integers(0, 99, (4, 5, 6)).astype("i2"), np.eye(4))
    nifti.header["descrip"], nifti.header["db_name"] = b"CANARY^NAME", b"CANARY"
    nifti.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"CANARY in an extension"))
    content = nifti.to_bytes()
    answer = judge(content, **CLEARED)
    assert content.count(b"CANARY") >= 3
    assert b"CANARY" not in answer.stored + answer.picture


def a_tiff(*pages: np.ndarray, **more: Any) -> bytes:
    target, (first, *rest) = io.BytesIO(), [Image.fromarray(page) for page in pages]
    first.save(target, "TIFF", save_all=True, append_images=rest, **more)
    return target.getvalue()


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_the_pages_of_a_tiff_are_frames(judge: Judge, compression: str | None) -> None:
    pages = np.random.default_rng(2).integers(0, 65536, (3, 9, 11)).astype(np.uint16)
    answer = judge(a_tiff(*pages, compression=compression, description="CANARY"), **CLEARED)
    np.testing.assert_array_equal(dcmread(file_of(answer)).pixel_array, pages)
    assert b"CANARY" not in answer.stored
    one = judge(a_tiff(pages[0].astype(np.uint8)), **CLEARED)
    np.testing.assert_array_equal(one.frame(1, np.uint8), pages[0].astype(np.uint8))
    coloured = np.random.default_rng(2).integers(0, 255, (2, 9, 11, 3)).astype(np.uint8)
    stored = dcmread(file_of(judge(a_tiff(*coloured), **CLEARED)))
    np.testing.assert_array_equal(stored.pixel_array, coloured)


def test_pages_of_different_sizes_and_real_numbers_are_refused(judge: Judge) -> None:
    assert "frames differ" in refused(judge, a_tiff(np.zeros((4, 4), "u1"), np.zeros((5, 4), "u1")))
    assert "real numbers" in refused(judge, a_tiff(np.zeros((4, 4), "f4")))
