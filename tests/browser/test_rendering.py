"""Every kind of pixel is shown as pydicom renders it, within one grey level, by both surfaces of a stage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from annotation.studies.door.sandbox import Sandbox
from tests.browser.shown import Screen, admitted, pydicom_shows, screen_on
from tests.phantoms import a_slice, dicom, fill

pytestmark = pytest.mark.browser

# File, and the frame of it.
REAL = [
    ("pydicom/CT_small.dcm", 1),
    ("cornerstone3D/CTImage.dcm_BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm", 1),
    ("cornerstone3D/CTImage.dcm_JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm", 1),
    ("pydicom/MR_small.dcm", 1),
    ("pydicom/image_dfl.dcm", 1),
    ("pydicom/JPGExtended.dcm", 1),
    ("fo-dicom/GH184.dcm", 1),
    ("fo-dicom/HasFragmentSequence.dcm", 40),
    ("pydicom-data/emri_small.dcm", 5),
    ("pydicom-data/eCT_Supplemental.dcm", 2),
    ("dicom2nifti/philips_enhanced/fmri/001/IM-0001-9600-0001.dcm", 9),
    ("pydicom-data/parametric_map_float.dcm", 1),
    ("pydicom-data/vlut_04.dcm", 1),
    ("orthanc-tests/KarstenHilbertRF.dcm", 1),
    ("pydicom-data/RG1_J2KI.dcm", 1),
    ("pydicom-data/color-pl.dcm", 1),
    ("pydicom/SC_rgb_jpeg_dcmtk.dcm", 1),
    ("pydicom/SC_ybr_full_422_uncompressed.dcm", 1),
    ("pydicom-data/SC_rgb_16bit_2frame.dcm", 2),
    ("orthanc-tests/2023-04-21-RLEPlanarConfigurationYBR_FULL.dcm", 1),
    ("dicom-test-files/WG04/J2KR/US1_J2KR", 1),
    ("pydicom/examples_palette.dcm", 1),
    ("fo-dicom/TestPattern_Palette_16.dcm", 1),
    ("highdicom/sm_image.dcm", 7),
]


@pytest.fixture(scope="module")
def door() -> Iterator[Sandbox]:
    with Sandbox(1) as opened:
        yield opened


@pytest.fixture(scope="module", params=[True, False], ids=["graphics card", "plain canvas"])
def screen(request: pytest.FixtureRequest, chromium: Browser, built: Path) -> Iterator[Screen]:
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    with screen_on(page, built, webgl=request.param) as opened:
        yield opened


def check(screen: Screen, door: Sandbox, content: bytes, frame: int = 1) -> None:
    number = screen.show(admitted(door, content), frame)
    expected = pydicom_shows(content, number)
    assert np.ptp(expected) > 20, "there is something to see"
    np.testing.assert_allclose(screen.pixels(), expected, atol=1)


@pytest.mark.parametrize(("name", "frame"), REAL, ids=[name for name, _ in REAL])
def test_a_real_file_is_shown_as_pydicom_renders_it(
    screen: Screen, door: Sandbox, real_data: Path, name: str, frame: int
) -> None:
    check(screen, door, (real_data / "dicom_valid" / name).read_bytes(), frame)


def table(first: int, entries: list[int], bits: int = 16) -> Sequence:
    item = Dataset()
    item.add(DataElement("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits]))
    item.add(DataElement("LUTData", "US", entries))
    return Sequence([item])


def window(center: float, width: float, shape: str = "LINEAR") -> dict[str, Any]:
    return {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": shape}


RAMP = np.arange(64 * 48).reshape(48, 64)
CURVE = (np.linspace(0, 1, 3000) ** 2 * 4095).astype(int).tolist()
MADE: dict[str, dict[str, Any]] = {
    "LINEAR": window(1400, 900),
    "LINEAR of width 1": window(1400, 1),
    "LINEAR_EXACT": window(1400, 900, "LINEAR_EXACT"),
    "LINEAR_EXACT of a width below one value": window(1400, 0.5, "LINEAR_EXACT"),
    "SIGMOID": window(1400, 900, "SIGMOID"),
    "SIGMOID, steep": window(1400.5, 20, "SIGMOID"),
    "SIGMOID, MONOCHROME1": window(1400, 900, "SIGMOID") | {"PhotometricInterpretation": "MONOCHROME1"},
    "LINEAR, MONOCHROME1": window(1400, 900) | {"PhotometricInterpretation": "MONOCHROME1"},
    "a table before a window": window(1400, 90) | {"VOILUTSequence": table(50, CURVE, 12)},
    "a table of ten bits": {"VOILUTSequence": table(1400, list(range(1023, -1, -1)), 10)},
    "a table that starts below zero": {"VOILUTSequence": table(-900, CURVE, 12), "RescaleIntercept": -1000},
    "a table of the modality, then a window": window(2000, 3000) | {"ModalityLUTSequence": table(0, CURVE)},
    "signed values": window(0, 2000) | {"PixelRepresentation": 1},
    "half values": window(800, 400) | {"RescaleSlope": 0.5, "RescaleIntercept": 0.25},
    "no window": {"PixelPaddingValue": 0},
}


@pytest.mark.parametrize("name", MADE)
def test_every_way_to_shade_values_is_pydicom_s(screen: Screen, door: Sandbox, name: str) -> None:
    made = a_slice(modality="MR")
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"):
        delattr(made, keyword)
    made.PixelSpacing = [1, 1]
    said = dict(MADE[name])
    photometric = said.pop("PhotometricInterpretation", "")
    is_signed = said.pop("PixelRepresentation", 0) == 1
    values = (RAMP - 1500).astype(np.int16) if is_signed else RAMP.astype(np.uint16)
    fill(made, values, photometric=photometric)
    if "RescaleIntercept" in said:
        said = {"RescaleSlope": 1} | said
    for keyword, value in said.items():
        setattr(made, keyword, value)
    check(screen, door, dicom(made))


def test_a_length_on_ultrasound_is_the_sonographer_s_own(
    screen: Screen, door: Sandbox, real_data: Path
) -> None:
    """The picture shows two callipers and what the machine measured between them: 1.06 cm."""
    content = (real_data / "dicom_valid" / "pydicom" / "examples_palette.dcm").read_bytes()
    screen.show(admitted(door, content))
    screen.stage.run("stage.setActiveLabel({ question: 'q', label: 'l', colour: '#fff' }); stage.use('line')")
    screen.stage.drag(*screen.stage.on_screen(0, [(460, 291), (499, 302)]))
    screen.stage.drag(*screen.stage.on_screen(0, [(300, 120), (60, 120)]))
    within, beyond = screen.stage.page.locator(".pane svg text").all_text_contents()
    assert float(within.removesuffix(" mm")) == pytest.approx(10.6, abs=0.3)
    assert beyond == "240 px"
    assert screen.stage.view()["lengths"] == "region"
