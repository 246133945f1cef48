"""Rendered frames and thumbnails: modality and VOI as the standard has them."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from annotation.exchange.dicomweb_render import (
    RenderingError,
    Window,
    own_window,
    read_look,
    rendered,
    windowed,
)
from tests import phantoms
from tests.annotation.api.dicomweb.conftest import Ct, Program, content, parts

GREY = {"Rows": 1, "Columns": 4, "BitsAllocated": 16, "BitsStored": 16, "PixelRepresentation": 1}


def shown(values: list[int], query: dict[str, str] | None = None, **attributes: Any) -> list[int]:
    """Grey levels of a frame of one row."""
    frame = np.array(values, np.int16).tobytes()
    picture = rendered(frame, GREY | attributes, read_look(query or {}), "image/png")
    return [int(one) for one in np.asarray(Image.open(io.BytesIO(picture))).ravel()]


def test_linear_windows_are_the_standard_s() -> None:
    # PS3.3 C.11.2.1.2.1: x <= c - 0.5 - (w-1)/2 is black, x > c - 0.5 + (w-1)/2 is white
    values = np.array([-0.5, 127.0, 254.5])
    assert windowed(values, Window(127.5, 256)).tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-9)
    exact = windowed(np.array([0.0, 50.0, 100.0]), Window(50, 100, "LINEAR_EXACT"))
    assert exact.tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert windowed(np.array([50.0]), Window(50, 100, "SIGMOID")).tolist() == [0.5]
    assert windowed(np.array([1.0, 2.0]), Window(2, 1)).tolist() == [0.0, 1.0]


def test_a_window_is_in_the_modality_s_units() -> None:
    scaled: dict[str, Any] = {"RescaleSlope": 2.0, "RescaleIntercept": -1000.0}
    assert shown([0, 500, 1000, 1500], {"window": "0,2000,linear-exact"}, **scaled) == [0, 128, 255, 255]


def test_the_image_s_own_window_stands_where_none_is_asked_for() -> None:
    own: dict[str, Any] = {
        "WindowCenter": [100.0, 5.0],
        "WindowWidth": [200.0, 5.0],
        "VOILUTFunction": "LINEAR_EXACT",
    }
    assert shown([0, 50, 100, 200], **own) == [0, 64, 128, 255]
    assert own_window({"WindowCenter": 1.0, "WindowWidth": 0.0}) is None


def test_without_a_window_the_whole_range_is_shown_and_monochrome1_is_inverted() -> None:
    assert shown([-10, 0, 10, 20]) == [0, 85, 170, 255]
    assert shown([-10, 0, 10, 20], PhotometricInterpretation="MONOCHROME1") == [255, 170, 85, 0]


def test_a_voi_table_is_followed() -> None:
    table = [{"LUTDescriptor": [3, 10, 8], "LUTData": [0, 100, 255]}]
    assert shown([0, 10, 11, 99], VOILUTSequence=table) == [0, 0, 100, 255]


def test_colour_is_shown_as_it_is() -> None:
    attributes = GREY | {"Columns": 1, "SamplesPerPixel": 3, "BitsAllocated": 8, "BitsStored": 8}
    picture = rendered(
        bytes([9, 99, 199]), attributes | {"PixelRepresentation": 0}, read_look({}), "image/png"
    )
    assert np.asarray(Image.open(io.BytesIO(picture))).tolist() == [[[9, 99, 199]]]


@pytest.mark.parametrize(
    "query",
    [
        {"window": "40"},
        {"window": "40,400,cubic"},
        {"window": "40,0"},
        {"window": "nan,400"},
        {"viewport": "100"},
        {"viewport": "0,100"},
        {"viewport": "99999,100"},
        {"viewport": "10,10,1"},
        {"quality": "0"},
        {"quality": "x"},
    ],
)
def test_a_rendering_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RenderingError):
        read_look(query)


def opened(response: Any) -> Image.Image:
    return Image.open(io.BytesIO(content(response)))


def test_one_frame_comes_as_jpeg_or_png(ct: Ct, reading: Program) -> None:
    jpeg = reading.get(f"{ct.first}/rendered")
    assert (jpeg["Content-Type"], opened(jpeg).size) == ("image/jpeg", (20, 24))
    png = reading.get(f"{ct.first}/frames/1/rendered?window=100,500", "image/png")
    values = np.frombuffer(phantoms.a_slice(1).PixelData, np.int16)
    hounsfield = values.reshape(24, 20).astype(float) - 1024
    expected = np.rint(((hounsfield - 99.5) / 499 + 0.5).clip(0, 1) * 255)
    assert np.abs(np.asarray(opened(png)) - expected).max() <= 1


def test_several_come_in_parts(ct: Ct, reading: Program) -> None:
    answer = reading.get(f"{ct.series}/rendered", "multipart/related; type=image/png")
    assert [Image.open(io.BytesIO(one)).size for one in parts(answer)] == [(20, 24)] * 3
    assert reading.get(f"{ct.series}/rendered", "image/png").status_code == 406
    assert reading.get(f"{ct.first}/rendered", "image/gif").status_code == 406


def test_a_viewport_bounds_the_picture_and_keeps_its_shape(ct: Ct, reading: Program) -> None:
    # rows 24 × 0.7 mm, columns 20 × 0.9 mm: 16.8 mm high, 18 mm wide
    picture = opened(reading.get(f"{ct.first}/rendered?viewport=180,180", "image/png"))
    assert picture.size == (180, 168)
    part = opened(reading.get(f"{ct.first}/rendered?viewport=90,90,0,0,10,12", "image/png"))
    assert part.size == (90, 84)
    assert reading.get(f"{ct.first}/rendered?viewport=90,90,50,50,1,1").status_code == 400


def test_thumbnails_are_small(ct: Ct, reading: Program) -> None:
    for path in (ct.study, ct.series, ct.first):
        small = reading.get(f"{path}/thumbnail")
        assert small["Content-Type"] == "image/png"
        assert max(opened(small).size) == 96
    assert max(opened(reading.get(f"{ct.first}/frames/1/thumbnail?viewport=40,40", "image/jpeg")).size) == 40
