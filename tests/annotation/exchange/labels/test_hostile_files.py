"""Files of labels that are damaged or built to harm: a reason in words, and no process but the child dies."""

import gzip
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RTStructureSetStorage

from annotation.exchange.labels.door import LabelDoor
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target
from tests import phantoms

SEED = 5
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">%s]><annotation><filename>&z;</filename></annotation>'


@pytest.fixture(scope="module")
def door() -> Iterator[LabelDoor]:
    with LabelDoor() as opened:
        yield opened


def read(door: LabelDoor, name: str, path: str, content: bytes, folder: Path) -> list[Statement]:
    """Read bytes; a child that dies is a problem like any other."""
    target = folder / "file"
    target.write_bytes(content)
    with target.open("rb") as stream:
        try:
            return door.statements(Order(name, path, wanted=("finding",)), stream)
        except LabelFileError as error:
            return [Statement(path, "problem", Target(), value={"text": str(error)})]


def told(found: list[Statement]) -> str:
    (one,) = found
    assert one.kind == "problem"
    return str(one.value["text"])


def test_a_bomb_of_entities_is_refused(door: LabelDoor, tmp_path: Path) -> None:
    names = "abcdefghijklmnopqrstuvwxyz"
    bomb = "".join(f'<!ENTITY {after} "{f"&{before};" * 40}">' for before, after in pairwise(names))
    assert told(read(door, "voc", "a.xml", LAUGHS % bomb.encode(), tmp_path))


def test_a_bomb_of_zeros_is_refused_by_its_size(door: LabelDoor, tmp_path: Path) -> None:
    packed = gzip.compress(bytes(2**29), compresslevel=9)
    assert "unpacks to more than" in told(read(door, "nifti", "a.nii.gz", packed, tmp_path))


def test_a_tower_of_brackets_is_refused(door: LabelDoor, tmp_path: Path) -> None:
    assert told(read(door, "coco", "a.json", b"[" * 1_000_000, tmp_path))


def test_runs_that_cover_nothing_are_a_problem_of_their_annotation(door: LabelDoor, tmp_path: Path) -> None:
    one = {"id": 7, "image_id": 1, "category_id": 1, "segmentation": {"size": [9, 9], "counts": [5]}}
    given = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [one],
    }
    found = read(door, "coco", "a.json", json.dumps(given).encode(), tmp_path)
    assert found[0].where == "annotation 7"
    assert told(found)


def test_a_picture_of_gigantic_size_is_refused(door: LabelDoor, tmp_path: Path) -> None:
    png = bytearray(phantoms.png(np.zeros((4, 4), np.uint8)))
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    assert told(read(door, "voc", "SegmentationClass/a.png", bytes(png), tmp_path))


def a_structure_set() -> bytes:
    """A sound structure set of one triangle."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = RTStructureSetStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID, made.StudyInstanceUID = RTStructureSetStorage, "1.2.3", "1.2"
    roi, contours, one = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName = 1, "Liver 1"
    one.ContourGeometricType, one.NumberOfContourPoints = "CLOSED_PLANAR", 3
    one.ContourData = [0, 0, 0, 9, 0, 0, 0, 9, 0]
    contours.ReferencedROINumber, contours.ContourSequence = 1, [one]
    made.StructureSetROISequence, made.ROIContourSequence = [roi], [contours]
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_a_structure_set_of_others_is_read_by_the_names_of_its_regions(
    door: LabelDoor, tmp_path: Path
) -> None:
    (found,) = read(door, "dicom", "a.dcm", a_structure_set(), tmp_path)
    assert (found.kind, found.labels) == ("contour", ("Liver 1", "Liver"))
    assert found.value["points"][1] == [9.0, 0.0, 0.0]


def test_images_are_no_labels(door: LabelDoor, tmp_path: Path) -> None:
    words = told(read(door, "dicom", "a.dcm", phantoms.dicom(phantoms.a_slice(1)), tmp_path))
    assert "labels come as segmentations, reports or structure sets" in words


@pytest.mark.parametrize(
    ("name", "path", "sound"),
    [
        ("dicom", "a.dcm", a_structure_set()),
        ("csv", "a.csv", b"path,finding\na.png,normal\nb.png,normal\n" * 20),
        ("coco", "a.json", json.dumps({"images": [], "categories": [], "annotations": []}).encode() * 3),
        ("voc", "a.xml", b"<annotation><filename>a</filename><object><name>x</name></object></annotation>"),
        ("nifti", "a.nii", bytes(348) + bytes(600)),
    ],
)
def test_damaged_bytes_end_in_statements_or_reasons(
    door: LabelDoor, tmp_path: Path, name: str, path: str, sound: bytes
) -> None:
    chance: Any = np.random.default_rng(SEED)
    for _ in range(60):
        damaged = bytearray(sound)
        for place in chance.integers(0, len(damaged), size=6):
            damaged[place] = chance.integers(0, 256)
        content = bytes(damaged[: chance.integers(1, len(damaged) + 1)])
        for one in read(door, name, path, content, tmp_path):
            assert one.kind != "problem" or one.value["text"]
