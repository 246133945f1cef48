"""Plain pictures become DICOM: their pixels, and nothing else of them."""

import io

import numpy as np
from PIL import Image, ImageOps
from pydicom import dcmread

from tests import phantoms
from tests.annotation.studies.conftest import Judge, file_of

CLEARED = {"pictures_cleared": True}


def test_a_grey_png_keeps_every_value(judge: Judge) -> None:
    pixels = phantoms.chest()
    answer = judge(phantoms.png(pixels), **CLEARED)
    np.testing.assert_array_equal(answer.frame(1, np.uint8), pixels)
    assert answer.facts.attributes["PhotometricInterpretation"] == "MONOCHROME2"


def test_a_16_bit_png_keeps_every_value(judge: Judge) -> None:
    pixels = phantoms.chest(bits=16)
    answer = judge(phantoms.png(pixels), **CLEARED)
    np.testing.assert_array_equal(answer.frame(1, "<u2"), pixels)
    assert answer.facts.attributes["BitsStored"] == 16


def test_a_coloured_png_stays_coloured(judge: Judge) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (17, 13, 3), dtype=np.uint8)
    answer = judge(phantoms.png(pixels), **CLEARED)
    np.testing.assert_array_equal(answer.frame(1, np.uint8), pixels)
    assert answer.facts.attributes["PlanarConfiguration"] == 0


def test_a_jpeg_is_turned_upright(judge: Judge) -> None:
    source = phantoms.jpeg(phantoms.chest(rows=40, columns=24), orientation=6)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(source)))
    answer = judge(source, **CLEARED)
    assert (answer.facts.attributes["Rows"], answer.facts.attributes["Columns"]) == (24, 40)
    np.testing.assert_array_equal(answer.frame(1, np.uint8), np.asarray(upright))


def test_comments_and_trailing_bytes_are_gone(judge: Judge) -> None:
    source = phantoms.jpeg(phantoms.chest(), comment=b"CANARY in a comment") + b"CANARY after the end"
    answer = judge(source, **CLEARED)
    assert source.count(b"CANARY") >= 3
    assert b"CANARY" not in answer.stored + answer.picture


def test_a_picture_s_stored_file_is_dicom_without_spacing_or_date(judge: Judge) -> None:
    stored = dcmread(file_of(judge(phantoms.png(phantoms.chest()), modality="DX", **CLEARED)))
    assert stored.Modality == "DX"
    assert "PixelSpacing" not in stored
    assert stored.StudyDate in (None, "")
    assert stored.PatientIdentityRemoved == "YES"


def test_a_picture_that_nobody_vouches_for_waits_for_eyes(judge: Judge) -> None:
    answer = judge(phantoms.png(phantoms.chest()))
    assert answer.verdict.outcome == "pixels"
    assert Image.open(io.BytesIO(answer.picture)).size == (24, 28)


def test_each_picture_is_its_own_patient_unless_the_table_says_otherwise(judge: Judge) -> None:
    source = phantoms.png(phantoms.chest())
    one = judge(source, source_digest="01" * 32, **CLEARED).facts
    other = judge(source, source_digest="02" * 32, **CLEARED).facts
    named = judge(source, patient="P0123456789ABCDEF0123", **CLEARED).facts
    assert one.patient != other.patient
    assert one.series_instance_uid != other.series_instance_uid
    assert named.patient == "P0123456789ABCDEF0123"


def test_a_cut_off_picture_is_refused(judge: Judge) -> None:
    answer = judge(phantoms.png(phantoms.chest())[:200], **CLEARED)
    assert answer.verdict.outcome == "rejected"
    assert answer.stored == b""
