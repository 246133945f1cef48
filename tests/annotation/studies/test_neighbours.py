"""Files that share a child become what each becomes alone, though equal elements are cleaned once."""

import io
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from annotation.studies.door.admission import admit
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.shared import put, written
from annotation.studies.door.verdict import Order
from annotation.studies.door.warming import NONE_OF, images
from tests import phantoms
from tests.annotation.studies.conftest import KEY, in_memory

ORDER = Order(key=KEY, source_digest="cd" * 32)
Became = tuple[bytes, bytes, bytes]


def together(door: Sandbox, contents: list[bytes]) -> list[Became]:
    """Verdict, stored file and picture of files that one child judges."""
    with ExitStack() as opened:
        streams = [opened.enter_context(in_memory(content)) for content in contents]
        admissions = opened.enter_context(door.judge([(ORDER, stream) for stream in streams]))
        return [(one.verdict.to_json(), one.stored.read(), one.picture.read()) for one in admissions]


def variants() -> list[bytes]:
    """One slice in several encodings, character sets, pixel representations and with other neighbours."""
    made = []
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
        for characters in ("ISO_IR 100", "ISO_IR 192"):
            for number in (1, 2):
                one = phantoms.a_slice(number)
                one.SpecificCharacterSet = characters
                one.PatientName, one.SeriesDescription = "Zoë", "AXIAL T2 Zoë"
                one.PixelPaddingValue = one.SmallestImagePixelValue = 0 if number == 1 else 5
                one.ReferencedImageSequence = Sequence([referenced(number % 2)])
                made.append(phantoms.dicom(one, syntax=syntax))
    return made


def referenced(frame: int) -> Dataset:
    """Make an item with an element whose representation hangs on its neighbours."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    item.ReferencedFrameNumber = frame + 1
    return item


def test_neighbours_do_not_change_what_a_file_becomes(door: Sandbox) -> None:
    contents = [*variants(), *reversed(variants())]
    assert together(door, contents) == [together(door, [content])[0] for content in contents]


def test_real_files_become_the_same_together_and_alone(door: Sandbox, real_data: Path) -> None:
    paths = sorted((real_data / "dicom_valid").rglob("*.dcm"), key=lambda path: path.stat().st_size)[:48]
    contents = [path.read_bytes() for path in paths]
    alone = [together(door, [content])[0] for content in contents]
    assert together(door, contents[::2]) + together(door, contents[1::2]) == alone[::2] + alone[1::2]


def test_an_element_that_is_shared_keeps_its_value() -> None:
    described = Dataset()
    described.add(written("PatientID", "P1"))
    with pytest.raises(AttributeError):
        described.PatientID = "P2"
    other = Dataset()
    other.add(described["PatientID"])
    put(other, "PatientID", "P2")
    assert (described.PatientID, other.PatientID) == ("P1", "P2")


def test_the_stored_header_reads_back(door: Sandbox) -> None:
    with in_memory(phantoms.dicom(phantoms.a_slice())) as stream, door.judge([(ORDER, stream)]) as [answer]:
        stored = dcmread(answer.stored)
    assert stored.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert stored.file_meta.MediaStorageSOPInstanceUID == stored.SOPInstanceUID
    assert stored.PatientID == stored.PatientName == answer.verdict.patient
    assert [int(tag) for tag in stored.keys()] == sorted(int(tag) for tag in stored.keys())  # noqa: SIM118


def test_a_server_warms_up_on_an_image_that_is_let_in() -> None:
    for content in images():
        assert admit(NONE_OF, io.BytesIO(content), io.BytesIO(), io.BytesIO()).outcome == "admitted"
