"""Pixels: what a display would show, computed by hand."""

import numpy as np
import pytest

from annotation.studies.frames import UnreadablePixelsError, stored_values
from annotation.studies.models import Instance
from mlworker.pixels.planes import fitted, picture, spacing, windowed
from mlworker.pixels.series import frames_of
from mlworker.pixels.stacks import evenly

BASE = {
    "Rows": 2,
    "Columns": 3,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
}


def frame(values: list[int], kind: str = "<u2") -> bytes:
    return np.array(values, dtype=kind).tobytes()


def test_negative_values_keep_their_sign_in_twelve_bits() -> None:
    content = frame([0, 1, 2047, 0xFFF, 0x800, 5])
    values = stored_values(content, BASE | {"PixelRepresentation": 1})
    assert values.tolist() == [[0, 1, 2047], [-1, -2048, 5]]


def test_bits_above_the_stored_ones_are_left_out() -> None:
    assert stored_values(frame([0xF001] * 6), BASE).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_window_is_applied_to_hounsfield_units() -> None:
    attributes = BASE | {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 401}
    shown = picture(frame([0, 824, 863, 1064, 1264, 4000]), attributes).values
    # PS3.3 C.11.2.1.2: ((x - (c - 0.5)) / (w - 1)) + 0.5
    np.testing.assert_allclose(shown.ravel(), [0, 0, (-161 - 39.5) / 400 + 0.5, 0.50125, 1.0, 1.0], atol=2e-3)


@pytest.mark.parametrize(("function", "at_centre"), [("LINEAR_EXACT", 0.5), ("SIGMOID", 0.5)])
def test_other_window_functions_are_half_at_the_centre(function: str, at_centre: float) -> None:
    attributes = {"WindowCenter": [100.0, 5.0], "WindowWidth": [50.0, 5.0], "VOILUTFunction": function}
    assert windowed(np.array([[100.0]], dtype=np.float32), attributes)[0, 0] == pytest.approx(at_centre)


def test_without_a_window_the_percentiles_are_black_and_white() -> None:
    values = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    shown = windowed(values, {})
    assert (shown[0, 0], shown[-1, -1]) == (0.0, 1.0)
    assert shown[50, 0] == pytest.approx(0.5, abs=0.02)


def test_an_image_of_one_value_is_no_division_by_zero() -> None:
    assert np.isfinite(picture(frame([7] * 6), BASE).values).all()


def test_monochrome1_is_inverted() -> None:
    content = frame([0, 0, 0, 4000, 4000, 4000])
    plain = picture(content, BASE).values
    inverted = picture(content, BASE | {"PhotometricInterpretation": "MONOCHROME1"}).values
    np.testing.assert_allclose(plain, 1.0 - inverted)


def test_colour_stays_colour_or_becomes_grey_by_its_luma() -> None:
    attributes = BASE | {
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
    }
    values = picture(bytes([255, 0, 0] * 6), attributes).values
    assert values.shape == (2, 3, 3)
    assert fitted(values, size=4, channels=3)[0] == pytest.approx(1.0)
    assert fitted(values, size=4, channels=1) == pytest.approx(0.299)


def test_a_smaller_picture_is_the_mean_over_areas() -> None:
    means = np.array([[0.0, 1.0], [0.5, 0.25]], dtype=np.float32)
    values = means.repeat(8, axis=0).repeat(8, axis=1)
    np.testing.assert_allclose(fitted(values, size=2, channels=1)[0], means)


def test_a_grey_picture_fills_three_channels_alike() -> None:
    planes = fitted(np.random.default_rng(0).random((5, 9)).astype(np.float32), size=6, channels=3)
    assert planes.shape == (3, 6, 6)
    np.testing.assert_array_equal(planes[0], planes[2])


def test_spacing_is_rows_first_and_absent_where_no_tag_gives_it() -> None:
    assert spacing({"PixelSpacing": [0.7, 0.4]}) == (0.7, 0.4)
    assert spacing({"ImagerPixelSpacing": [0.2, 0.1]}) == (0.2, 0.1)
    assert spacing({}) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"PhotometricInterpretation": "YBR_FULL"}, r"\(0028,0004\)"),
        ({"BitsAllocated": 1}, r"\(0028,0100\)"),
        ({"Rows": 20}, r"\(0028,0010\)"),
    ],
)
def test_what_cannot_be_shown_names_its_tag(change: dict[str, object], word: str) -> None:
    with pytest.raises(UnreadablePixelsError, match=word):
        picture(frame([0] * 6), BASE | change)


def test_slices_in_one_place_are_seen_in_the_order_in_which_they_are_read() -> None:
    lying = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0.0, 0.0, 5.0]}
    slices = [
        Instance(instance_number=number, sop_instance_uid=uid, attributes=lying)
        for number, uid in [(3, "1.1"), (1, "1.3"), (2, "1.2")]
    ]
    assert [one.instance_number for one, _ in frames_of(slices)] == [1, 2, 3]


def test_planes_are_taken_evenly_from_the_middle_of_equal_stretches() -> None:
    assert evenly(100, 4) == [12, 37, 62, 87]
    assert evenly(3, 16) == [0, 1, 2]
