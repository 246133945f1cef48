"""Pixels behind the door: what came in, in one form."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from tests import phantoms
from tests.annotation.studies.conftest import Judge, file_of

VALID = "dicom_valid"
ENCODINGS = (
    "cornerstone3D/CTImage.dcm_BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm",
    "cornerstone3D/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
    "cornerstone3D/CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm",
    "cornerstone3D/CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm",
    "cornerstone3D/CTImage.dcm_JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm",
    "cornerstone3D/CTImage.dcm_JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70.dcm",
    "cornerstone3D/CTImage.dcm_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm",
    "cornerstone3D/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm",
    "pydicom-data/HTJ2KLossless_08_RGB.dcm",
    "pydicom-data/color-pl.dcm",
    "pydicom-data/SC_rgb_16bit_2frame.dcm",
    "pydicom-data/emri_small_RLE.dcm",
    "pydicom-data/RG1_J2KI.dcm",
    "pydicom/SC_ybr_full_422_uncompressed.dcm",
    "pydicom/SC_rgb_jpeg_dcmtk.dcm",
    "pydicom/SC_rgb_small_odd.dcm",
    "pydicom/MR_small_implicit.dcm",
    "pydicom/liver_expb_1frame.dcm",
    "pydicom/rtdose.dcm",
    "pydicom-data/parametric_map_float.dcm",
    "orthanc-tests/Issue44/Monochrome1-Jpeg.dcm",
    "orthanc-tests/Issue19.dcm",
    "highdicom/sm_image_jpegls.dcm",
)


def by_pydicom(path: Path) -> tuple[Dataset, np.ndarray]:
    """What pydicom itself makes of a file: (frame, row, column[, 3])."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = dcmread(path)
        pixels = parsed.pixel_array
    frames = int(parsed.get("NumberOfFrames") or 1)
    return parsed, pixels if frames > 1 else pixels[np.newaxis]


@pytest.mark.parametrize("name", ENCODINGS)
def test_decoded_pixels_are_pydicom_s_in_every_encoding(judge: Judge, real_data: Path, name: str) -> None:
    path = real_data / VALID / name
    _, expected = by_pydicom(path)
    answer = judge(path.read_bytes(), pixels_cleared=True)
    assert answer.facts.frames == len(expected)
    little = expected.dtype.newbyteorder("<")
    for number, frame in enumerate(expected, start=1):
        np.testing.assert_array_equal(answer.frame(number, little), frame)


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_stored_file_reads_as_plain_dicom(judge: Judge, real_data: Path, name: str) -> None:
    path = real_data / VALID / name
    _, expected = by_pydicom(path)
    stored = dcmread(file_of(judge(path.read_bytes(), pixels_cleared=True)))
    assert stored.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    np.testing.assert_array_equal(stored.pixel_array.reshape(expected.shape), expected)


def test_palette_colours_become_rgb(judge: Judge, real_data: Path) -> None:
    path = real_data / VALID / "pydicom/examples_palette.dcm"
    parsed, pixels = by_pydicom(path)
    expected = apply_color_lut(pixels[0], parsed)
    answer = judge(path.read_bytes(), pixels_cleared=True)
    assert answer.facts.attributes["PhotometricInterpretation"] == "RGB"
    shown = answer.frame(1, np.uint8)
    np.testing.assert_array_equal(shown, (expected >> 8) if expected.itemsize == 2 else expected)


def test_the_darkest_is_white_stays_so(judge: Judge, real_data: Path) -> None:
    path = real_data / VALID / "orthanc-tests/Issue44/Monochrome1-Jpeg.dcm"
    assert judge(path.read_bytes()).facts.attributes["PhotometricInterpretation"] == "MONOCHROME1"


def test_signed_pixels_stay_signed(judge: Judge) -> None:
    made = phantoms.a_slice()
    answer = judge(phantoms.dicom(made))
    assert answer.facts.attributes["PixelRepresentation"] == 1
    np.testing.assert_array_equal(answer.frame(1, "<i2").tobytes(), made.PixelData)


def test_a_bit_a_pixel_becomes_a_byte_a_pixel(judge: Judge, real_data: Path) -> None:
    facts = judge((real_data / VALID / "dcmqi/segmentations/liver.dcm").read_bytes()).facts
    assert (facts.frames, facts.frame_bytes) == (3, 512 * 512)
    assert facts.attributes["BitsAllocated"] == 8


def test_frames_of_an_enhanced_image_keep_their_places(judge: Judge, real_data: Path) -> None:
    facts = judge((real_data / VALID / "pydicom-data/eCT_Supplemental.dcm").read_bytes()).facts
    positions = [frame["ImagePositionPatient"] for frame in facts.attributes["PerFrame"]]
    assert len(positions) == 2
    assert positions[0] != positions[1]


def test_the_kernel_of_an_enhanced_image_is_a_fact(judge: Judge, real_data: Path) -> None:
    made, group = dcmread(real_data / VALID / "pydicom-data/eCT_Supplemental.dcm"), Dataset()
    group.ConvolutionKernel, group.ReconstructionDescription = "Br40", "of Dr Canary"
    made.SharedFunctionalGroupsSequence[0].CTReconstructionSequence = Sequence([group])
    answer = judge(phantoms.dicom(made))
    assert answer.facts.convolution_kernel == "BR40"
    assert b"Canary" not in answer.stored


def test_the_thumbnail_is_square_on_screen(judge: Judge) -> None:
    from PIL import Image

    picture = judge(phantoms.dicom(phantoms.a_slice(rows=240, columns=120))).picture
    width, height = Image.open(io.BytesIO(picture)).size
    assert height == 96
    assert width == round(96 * (120 * 0.9) / (240 * 0.7)), "row spacing 0.7 mm, column spacing 0.9 mm"


def test_the_preview_shows_text_of_any_frame(judge: Judge) -> None:
    from PIL import Image

    frames = np.zeros((3, 32, 40), np.uint8)
    frames[1, 4:6, 4:30] = 255
    made = phantoms.a_slice(modality="US")
    phantoms.fill(made, frames[0])
    made.NumberOfFrames, made.PixelData = 3, frames.tobytes()
    answer = judge(phantoms.dicom(made))
    assert answer.verdict.outcome == "pixels"
    shown = np.asarray(Image.open(io.BytesIO(answer.picture)))
    assert shown.shape == (32, 120), "first frame, brightest, darkest beside each other"
    assert shown[4, :40].max() == 0
    assert shown[4, 40:80].max() == 255


def test_run_lengths_that_claim_too_much_are_refused(judge: Judge) -> None:
    made = phantoms.a_slice()
    made.Rows = made.Columns = 8000
    made.PixelData = encapsulate([b"\1\0\0\0\x40\0\0\0" + bytes(56) + b"\x81\0" * 8])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    answer = judge(phantoms.dicom(made, syntax=RLELossless))
    assert answer.verdict.outcome == "rejected"
    assert "holds fewer bytes" in answer.verdict.reason
