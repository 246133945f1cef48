"""Measurements: values known by hand, on pixels that are not square."""

import math
from typing import Any

import numpy as np
import pytest

from annotation.projects.regions import POINTS
from annotation.readings.measurements import (
    PixelSize,
    inside,
    measures,
    pixel_size,
    rows_spanned,
    size_at,
    statistics,
)

TALL = PixelSize(row=2.0, column=0.5, of="patient")
UNKNOWN = PixelSize(1.0, 1.0, "pixels")
SQUARE_MM = PixelSize(1.0, 1.0, "patient")


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"PixelSpacing": [2.0, 0.5], "ImagerPixelSpacing": [0.1, 0.1]}, TALL),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, PixelSize(0.2, 0.1, "detector")),
        ({}, UNKNOWN),
        ({"PixelSpacing": [0.0, 0.5]}, UNKNOWN),
        ({"PixelSpacing": [0.5]}, UNKNOWN),
    ],
)
def test_the_size_of_a_pixel_is_rows_first_and_never_made_up(
    attributes: dict[str, Any], size: PixelSize
) -> None:
    assert pixel_size(attributes) == size


def region(x: tuple[int, int], y: tuple[int, int], **more: Any) -> dict[str, Any]:
    """An ultrasound region in cm, 0.5 mm along a row and 2 mm down a column."""
    return {
        "RegionSpatialFormat": 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": x[0],
        "RegionLocationMinY0": y[0],
        "RegionLocationMaxX1": x[1],
        "RegionLocationMaxY1": y[1],
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.05,
        "PhysicalDeltaY": 0.2,
    } | more


IN_REGION = PixelSize(2.0, 0.5, "region")


@pytest.mark.parametrize(
    ("regions", "points", "size"),
    [
        ([region((10, 19), (0, 9))], [[10, 0], [20, 10]], IN_REGION),
        ([region((10, 19), (0, 9))], [[9.9, 0], [20, 10]], UNKNOWN),
        ([region((0, 9), (0, 9)), region((10, 19), (0, 9))], [[5, 5], [15, 5]], UNKNOWN),
        ([region((0, 9), (0, 9), PhysicalDeltaX=-0.05)], [[1, 1]], IN_REGION),
        ([region((0, 9), (0, 9), PhysicalUnitsXDirection=4)], [[1, 1]], PixelSize(9.0, 9.0, "patient")),
        ([region((0, 9), (0, 9), RegionSpatialFormat=3)], [[1, 1]], PixelSize(9.0, 9.0, "patient")),
        ([region((0, 9), (0, 9), PhysicalDeltaY=0)], [[1, 1]], PixelSize(9.0, 9.0, "patient")),
        (
            [
                region((0, 99), (0, 99), RegionFlags=1, PhysicalDeltaX=9.0),
                region((0, 9), (0, 9), RegionFlags=2),
            ],
            [[1, 1], [2, 2]],
            IN_REGION,
        ),
    ],
    ids=["within", "beyond", "across", "leftwards", "M-mode", "spectrum", "no size", "the topmost"],
)
def test_ultrasound_is_measured_by_the_region_that_holds_every_point(
    regions: list[dict[str, Any]], points: list[list[float]], size: PixelSize
) -> None:
    attributes = {"PixelSpacing": [9.0, 9.0], "SequenceOfUltrasoundRegions": regions}
    found = size_at(attributes, points)
    assert [found.row, found.column] == pytest.approx([size.row, size.column])
    assert found.of == size.of


@pytest.mark.parametrize(
    ("kind", "points", "found"),
    [
        ("point", [[1, 1]], {}),
        ("line", [[0, 0], [6, 2]], {"length_mm": 5.0}),
        (
            "bidirectional",
            [[0, 0], [8, 0], [4, -3], [4, 3]],
            {"long_axis_mm": 12.0, "short_axis_mm": 4.0},
        ),
        ("angle", [[4, 0], [0, 0], [0, 4]], {"angle_deg": 90.0}),
        ("angle", [[4, 1], [0, 0], [4, 0]], {"angle_deg": 45.0}),
        ("angle", [[0, 0], [4, 0], [4, 8], [0, 9]], {"angle_deg": 45.0}),
        ("box", [[6, 5], [2, 1]], {"area_mm2": 16.0, "perimeter_mm": 20.0}),
        ("polygon", [[0, 0], [8, 0], [0, 1.5]], {"area_mm2": 6.0, "perimeter_mm": 12.0}),
        ("freehand", [[0, 0], [4, 0], [4, 1], [0, 1]], {"area_mm2": 4.0, "perimeter_mm": 8.0}),
    ],
)
def test_a_region_is_measured_in_mm_on_pixels_that_are_not_square(
    kind: str, points: list[list[float]], found: dict[str, float]
) -> None:
    assert measures(kind, points, TALL) == pytest.approx(found)


def test_a_circle_in_mm_is_measured_as_one_whatever_its_pixels() -> None:
    points = [[10 - 8, 10], [10 + 8, 10], [10, 10 - 2], [10, 10 + 2]]
    found = measures("ellipse", points, TALL)
    circle = {"area_mm2": 16 * math.pi, "perimeter_mm": 8 * math.pi}
    assert found == pytest.approx(circle | {"long_axis_mm": 8.0, "short_axis_mm": 8.0})


def test_an_oblique_ellipse_on_oblong_pixels_has_the_axes_of_its_image_in_mm() -> None:
    points = np.array([[-3.0, -4.0], [3.0, 4.0], [-4.0, 3.0], [4.0, -3.0]])  # a circle of 5 pixels
    found = measures("ellipse", points.tolist(), PixelSize(2.0, 1.0, "patient"))
    assert (found["long_axis_mm"], found["short_axis_mm"]) == pytest.approx((20.0, 10.0))
    assert found["area_mm2"] == pytest.approx(50 * math.pi)


def test_the_perimeter_of_a_long_ellipse_agrees_with_its_integral() -> None:
    t = np.linspace(0, 2 * np.pi, 20_001)
    around = np.hypot(np.diff(9 * np.cos(t)), np.diff(2 * np.sin(t))).sum()
    found = measures("ellipse", [[-9, 0], [9, 0], [0, -2], [0, 2]], SQUARE_MM)
    assert found["perimeter_mm"] == pytest.approx(around, rel=1e-3)


def test_without_a_spacing_lengths_are_pixels_and_named_so() -> None:
    assert measures("line", [[0, 0], [3, 4]], UNKNOWN) == {"length_px": 5.0}
    assert set(measures("box", [[0, 0], [3, 4]], UNKNOWN)) == {"area_px", "perimeter_px"}


@pytest.mark.parametrize(
    ("kind", "points", "rows"),
    [
        ("box", [[1, 7], [3, 2]], (2.0, 7.0)),
        ("ellipse", [[0, 5], [10, 5], [5, 2], [5, 8]], (2.0, 8.0)),
        ("ellipse", [[-3, -4], [3, 4], [-4, 3], [4, -3]], (-5.0, 5.0)),
    ],
)
def test_a_shape_spans_rows_as_it_lies_on_the_image(
    kind: str, points: list[list[float]], rows: tuple[float, float]
) -> None:
    assert rows_spanned(kind, points) == pytest.approx(rows)


def test_pixels_whose_centre_is_in_a_box_are_inside_and_boxes_side_by_side_share_none() -> None:
    found = inside("box", [[1.5, 0.5], [3.5, 2.5]], (4, 5))  # upper and left edges count
    assert found.astype(int).tolist() == [[0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


def test_a_point_is_the_pixel_that_it_is_in_and_none_outside() -> None:
    assert np.argwhere(inside("point", [[2.99, 1.0]], (4, 5))).tolist() == [[1, 2]]
    assert not inside("point", [[5.0, 1.0]], (4, 5)).any()


def test_a_concave_polygon_leaves_out_its_bay() -> None:
    u = [[0, 0], [5, 0], [5, 4], [4, 4], [4, 1], [1, 1], [1, 4], [0, 4]]
    assert inside("polygon", u, (4, 5)).astype(int).tolist() == [
        [1, 1, 1, 1, 1],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 0, 1],
    ]


def test_a_fine_polygon_of_an_ellipse_has_the_same_pixels_inside() -> None:
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    centre, u, v = np.array([20.3, 15.8]), np.array([9.0, 5.0]), np.array([-3.0, 6.0])
    outline = centre + np.outer(np.cos(t), u) + np.outer(np.sin(t), v)
    points = [centre - u, centre + u, centre - v, centre + v]
    ellipse = inside("ellipse", [list(one) for one in points], (40, 50))
    polygon = inside("polygon", outline.tolist(), (40, 50))
    assert (ellipse != polygon).sum() <= 2
    assert ellipse.sum() == pytest.approx(np.pi * abs(np.linalg.det([u, v])), rel=0.03)


@pytest.mark.parametrize("kind", sorted(POINTS))
def test_a_region_beyond_the_image_has_no_pixel_inside(kind: str) -> None:
    points = [[100.0, 100.0], [130.0, 100.0], [115.0, 90.0], [115.0, 110.0]][: POINTS[kind][1]]
    assert not inside(kind, points, (8, 6)).any()


def test_statistics_are_of_the_pixels_chosen_alone() -> None:
    values = np.array([[1.0, 2.0], [4.0, 100.0]])
    found = statistics(values, np.array([[True, True], [False, False]]))
    assert found == {"mean": 1.5, "deviation": 0.5, "min": 1.0, "max": 2.0, "pixels": 2}
    assert statistics(values, np.zeros((2, 2), dtype=np.bool_)) == {}
