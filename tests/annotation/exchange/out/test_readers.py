"""What others' programs read in our files, held against the stored images and what was drawn."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import highdicom as hd
import nibabel as nib
import numpy as np
import pyarrow.parquet as pq
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.sr.codedict import codes

from annotation.exchange.out.contours import filled
from annotation.exchange.out.drawn import drawings_in, paintings_in
from annotation.exchange.out.frozen import Frozen, FrozenCase, Said
from annotation.exchange.placement import on_frame
from annotation.learning.models import Snapshot
from annotation.studies.models import Instance
from tests.annotation.exchange.out.conftest import Exported

pytestmark = pytest.mark.django_db
NIFTI: Any = nib
ITK: Any = SimpleITK


def members(path: Path, suffix: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(suffix)}


def the_case(snapshot: Snapshot) -> tuple[FrozenCase, Said]:
    (case,) = Frozen(snapshot).cases()
    (said,) = case.newest()
    return case, said


@pytest.mark.parametrize(("name", "kind"), [("dicom-seg", "BINARY"), ("dicom-seg-labelmap", "LABELMAP")])
def test_highdicom_reads_each_voxel_of_a_segmentation(
    ct_snapshot: Snapshot, exported: Exported, name: str, kind: str
) -> None:
    case, said = the_case(ct_snapshot)
    (painting,) = paintings_in(case, said)
    (content,) = members(exported(ct_snapshot, name), ".dcm").values()
    read = hd.seg.segread(io.BytesIO(content))
    assert read.segmentation_type.value == kind
    for number, value in enumerate(["lung", "heart"], start=1):
        found = read.get_pixels_by_source_instance(
            list(painting.mask.images), segment_numbers=[number], assert_missing_frames_are_empty=True
        )
        assert np.array_equal(found[..., 0] > 0, painting.voxels(value))
    assert read.get_segment_description(1).segmented_property_type == hd.sr.CodedConcept(
        "39607008", "SCT", "Lung"
    )
    header = case.header(painting.mask.images[0])
    assert (read.StudyInstanceUID, read.FrameOfReferenceUID) == (
        header.StudyInstanceUID,
        header.FrameOfReferenceUID,
    )
    assert read.PatientID == header.PatientID


def test_highdicom_reads_every_length_of_a_report_to_a_hundredth_of_a_millimetre(
    ct_snapshot: Snapshot, exported: Exported
) -> None:
    case, said = the_case(ct_snapshot)
    (content,) = members(exported(ct_snapshot, "dicom-sr"), ".dcm").values()
    read: Any = hd.sr.srread(io.BytesIO(content))
    row, column = case.pictures[0].attributes["PixelSpacing"]
    (line,) = [one for one in drawings_in(case, said) if one.question.kind == "line"]
    (x0, y0), (x1, y1) = line.region.points
    length = float(np.hypot((x1 - x0) * column, (y1 - y0) * row))
    groups = read.content.get_image_measurement_groups()
    found = [item for one in groups for item in one.get_measurements(name=codes.SCT.Length)]
    assert [item.value for item in found] == pytest.approx([length], abs=0.01)
    assert [item.unit.value for item in found] == ["mm"]
    (points,) = [one.value for item in found for one in item.referenced_coordinates]
    assert np.allclose(points, line.region.points, atol=1e-3)
    planar = read.content.get_planar_roi_measurement_groups()
    assert len(planar) == 5  # a point, two boxes, an ellipse, a polygon
    stored = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    evidence = read.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert {str(one.ReferencedSOPInstanceUID) for one in evidence.ReferencedSOPSequence} <= stored


def test_a_report_says_every_choice_by_its_code(ct_snapshot: Snapshot, exported: Exported) -> None:
    (content,) = members(exported(ct_snapshot, "dicom-sr"), ".dcm").values()
    read: Any = hd.sr.srread(io.BytesIO(content))
    said = [
        (item.name.value, item.value.scheme_designator, item.value.value)
        for group in read.content.get_image_measurement_groups()
        for item in group.get_qualitative_evaluations()
    ]
    assert said == [
        ("finding", "SCT", "27925004"),
        ("signs", "SCT", "79654002"),
        ("signs", "99FOVEA", "spiculation"),
    ]
    assert "hilum" not in repr(read)


def test_contours_lie_in_the_patient_where_they_were_drawn(ct_snapshot: Snapshot, exported: Exported) -> None:
    case, said = the_case(ct_snapshot)
    (content,) = members(exported(ct_snapshot, "dicom-rtstruct"), ".dcm").values()
    read = dcmread(io.BytesIO(content))
    names = [str(one.ROIName) for one in read.StructureSetROISequence]
    assert names[-2:] == ["organs lung", "organs heart"]
    (painting,) = paintings_in(case, said)
    by_uid = {one.sop_instance_uid: one for one in case.pictures}
    for roi, value in zip(read.ROIContourSequence[-2:], ["lung", "heart"], strict=True):
        outlines: dict[str, list[np.ndarray]] = {}
        for contour in roi.ContourSequence:
            uid = str(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)
            points = np.asarray(contour.ContourData, dtype=float).reshape(-1, 3)
            height = by_uid[uid].attributes["ImagePositionPatient"][2]
            assert np.allclose(points[:, 2], height, atol=0.01)
            outlines.setdefault(uid, []).append(on_frame(by_uid[uid].attributes, points))
        drawn = painting.voxels(value)
        for place, uid in enumerate(painting.mask.images):
            assert np.array_equal(filled(outlines[uid], drawn.shape[1:]), drawn[place])


def test_simpleitk_and_nibabel_find_every_voxel_where_the_series_has_it(
    ct_snapshot: Snapshot, exported: Exported, tmp_path: Path
) -> None:
    case, _ = the_case(ct_snapshot)
    found = members(exported(ct_snapshot, "nifti"), ".nii.gz")
    (image_name,) = [name for name in found if name.startswith("images/")]
    (mask_name,) = [name for name in found if name.startswith("masks/")]
    (tmp_path / "image.nii.gz").write_bytes(found[image_name])
    (tmp_path / "mask.nii.gz").write_bytes(found[mask_name])
    image, mask = (ITK.ReadImage(str(tmp_path / f"{name}.nii.gz")) for name in ("image", "mask"))
    assert image.GetSize() == mask.GetSize()
    middle = len(case.pictures) // 2
    for k in (0, middle, len(case.pictures) - 1):
        one = case.pictures[k].attributes
        here = image.TransformIndexToPhysicalPoint((0, 0, k))
        assert here == pytest.approx(one["ImagePositionPatient"], abs=0.01)
        assert mask.TransformIndexToPhysicalPoint((0, 0, k)) == pytest.approx(here, abs=1e-3)
        header = case.header(case.pictures[k].sop_instance_uid)
        pixels = np.frombuffer(case.pictures[k].content, dtype="<i2" if header.PixelRepresentation else "<u2")
        wanted = pixels.reshape(header.Rows, header.Columns) * header.RescaleSlope + header.RescaleIntercept
        assert np.array_equal(ITK.GetArrayViewFromImage(image)[k], wanted)
    again = NIFTI.load(tmp_path / "mask.nii.gz")
    assert again.affine == pytest.approx(NIFTI.load(tmp_path / "image.nii.gz").affine)
    assert set(np.unique(np.asanyarray(again.dataobj))) == {0, 1, 2}


def test_tables_say_the_same_in_every_kind(ct_snapshot: Snapshot, exported: Exported) -> None:
    (as_csv,) = members(exported(ct_snapshot, "csv"), "readings.csv").values()
    (as_jsonl,) = members(exported(ct_snapshot, "jsonl"), "readings.jsonl").values()
    (as_parquet,) = members(exported(ct_snapshot, "parquet"), "readings.parquet").values()
    rows = list(csv.DictReader(io.StringIO(as_csv.decode(), newline="")))
    plain = [json.loads(line) for line in as_jsonl.splitlines()]
    columns = pq.read_table(io.BytesIO(as_parquet)).to_pylist()
    assert plain == columns
    assert [row["question"] for row in rows] == [row["question"] for row in plain]
    by_key = {row["question"]: row for row in plain}
    assert by_key["finding"]["answer"] == by_key["finding"]["reference_standard"] == "nodule"
    assert json.loads(by_key["signs"]["answer"]) == ["edema", "spiculation"]
    assert by_key["words"]["answer"].startswith("=SUM")
    (words,) = [row for row in rows if row["question"] == "words"]
    assert words["answer"].startswith("'=SUM")
    assert {len(row["reader"]) for row in plain} == {16}
    assert {row["seconds"] for row in plain} == {7.5}
