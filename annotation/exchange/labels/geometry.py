"""What was drawn, turned into regions of a shape and masks on frames. Pure.

Points are (column, row), 0, 0 at the top left corner of the top left pixel.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from annotation.exchange.out.contours import filled
from annotation.exchange.out.rules import LeftOutError
from annotation.exchange.out.volumes import grid_of
from annotation.exchange.placement import off_plane_mm
from annotation.projects.masks import Mask, voxels
from annotation.readings.measuring import Stack

Points = list[list[float]]
Bits = NDArray[np.bool_]
Read = Callable[[Any], list[Points]]
CORNERS: Final = 4
STROKES: Final = {"line": ([2],), "bidirectional": ([2, 2],), "angle": ([3], [2, 2])}
NEAR_PIXELS: Final = 0.01
OFF_VOXELS: Final = 0.05
ON_PLANE_MM: Final = 0.1
TURNED: Final = 1e-3


class ShapeError(Exception):
    """A drawing cannot answer a question of this kind; the message says why."""


def kinds_for(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which kinds of question a drawing can answer."""
    if "strokes" in value:
        return ("line", "bidirectional", "angle")
    if "points" in value:
        return ("point",)
    if "ellipse" in value:
        return ("ellipse",)
    if "mask" in value:
        return ("segmentation", "box") if "box" in value else ("segmentation",)
    if "outlines" in value:
        return ("polygon", "freehand", "ellipse", "box", "segmentation")
    return ("box",)


def regions_of(kind: str, value: Mapping[str, Any]) -> list[Points]:
    """Give the points of the regions that a drawing says.

    raises: ShapeError.
    """
    for form, read in FORMS.get(kind, ()):
        if form in value:
            return read(value[form])
    if "strokes" in value and kind in STROKES:
        return [strokes_as(kind, value["strokes"])]
    raise ShapeError(
        f"what is drawn is no {kind}: map it to a question of another kind, or leave it out with -"
    )


def corners_of(box: Sequence[float]) -> Points:
    """Give the corners of a box, one after the other."""
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def strokes_as(kind: str, strokes: list[Points]) -> Points:
    """Read strokes as the points of a line, two axes or an angle.

    raises: ShapeError.
    """
    lengths = [len(one) for one in strokes]
    if lengths not in STROKES[kind]:
        raise ShapeError(f"it has strokes of {lengths} points, which are no {kind}")
    return [point for one in strokes for point in one]


def opened(outline: Points) -> Points:
    """Drop the last point of an outline where it is the first again."""
    return outline[:-1] if len(outline) > 1 and outline[0] == outline[-1] else outline


def box_in(outline: Points) -> Points:
    """Read an outline as a box.

    raises: ShapeError where it is none.
    """
    points = np.asarray(opened(outline), dtype=np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    at_corners = np.isclose(points, low, atol=NEAR_PIXELS) | np.isclose(points, high, atol=NEAR_PIXELS)
    if len(points) != CORNERS or not at_corners.all():
        raise ShapeError("its outline is no box: map it to a question of polygons")
    return [low.tolist(), high.tolist()]


def ellipse_in(outline: Points) -> Points:
    """Read an outline as the ellipse that it was drawn from, by the ends of its axes.

    raises: ShapeError where it is none.
    """
    points = np.asarray(opened(outline), dtype=np.float64)
    count = len(points)
    if count < 2 * CORNERS or count % CORNERS:
        raise ShapeError("its outline is no ellipse: map it to a question of polygons")
    ends = points[[0, count // 2, count // 4, 3 * count // 4]]
    first, second = (ends[0] - ends[1]) / 2, (ends[2] - ends[3]) / 2
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)[:, None]
    again = points.mean(axis=0) + np.cos(angle) * first + np.sin(angle) * second
    if np.abs(again - points).max() > max(NEAR_PIXELS, TURNED * float(np.ptp(points))):
        raise ShapeError("its outline is no ellipse: map it to a question of polygons")
    return [list(map(float, point)) for point in ends]


OUTLINED: Final[tuple[tuple[str, Read], ...]] = (
    ("outlines", lambda outlines: [opened(one) for one in outlines]),
    ("box", lambda box: [corners_of(box)]),
)
# By kind of question: which forms of a drawing answer it, the best first, and how each is read.
FORMS: Final[Mapping[str, tuple[tuple[str, Read], ...]]] = {
    "point": (("points", lambda points: [[point] for point in points]),),
    "ellipse": (
        ("ellipse", lambda ends: [ends]),
        ("outlines", lambda outlines: [ellipse_in(one) for one in outlines]),
    ),
    "box": (
        ("box", lambda box: [[box[:2], box[2:]]]),
        ("outlines", lambda outlines: [box_in(one) for one in outlines]),
    ),
    "polygon": OUTLINED,
    "freehand": OUTLINED,
}


def pixels_of(value: Mapping[str, Any], shape: tuple[int, int]) -> Bits:
    """Draw a mask, or fill outlines, on an image of this many rows and columns.

    raises: ShapeError.
    """
    if "mask" in value:
        one = value["mask"]
        if (one["rows"], one["columns"]) != shape:
            raise ShapeError(
                f"its mask has {one['rows']} × {one['columns']} pixels, the image {shape[0]} × {shape[1]}:"
                " give masks of the images' own size"
            )
        drawn = voxels(Mask(shape=[1, *shape], images=["1"], classes={"1": one["runs"]}), "1")
        return np.asarray(drawn[0], dtype=np.bool_)
    if "outlines" in value:
        drawn = np.zeros(shape, dtype=np.bool_)
        for one in value["outlines"]:
            drawn |= filled([np.asarray(opened(one), dtype=np.float64)], shape)
        return drawn
    raise ShapeError("it is no mask and no outline: map it to a question of boxes or lines")


def place_of_plane(stack: Stack, placed: Mapping[str, Any]) -> int:
    """Find the frame that lies where a mask's image lies.

    raises: ShapeError.
    """
    for place, picture in enumerate(stack.pictures):
        one = picture.attributes
        if "ImagePositionPatient" not in one or "PixelSpacing" not in one:
            continue
        away = float(np.linalg.norm(np.subtract(one["ImagePositionPatient"], placed["position"])))
        turned = np.abs(np.subtract(one["ImageOrientationPatient"], placed["orientation"])).max()
        stretched = np.abs(np.subtract(one["PixelSpacing"], placed["spacing"])).max()
        if away <= ON_PLANE_MM and turned <= TURNED and stretched <= TURNED:
            return place
    raise ShapeError("no image of the case lies where its mask lies: export it on the images' own grid")


def place_of_contour(stack: Stack, points: NDArray[np.float64]) -> int:
    """Find the frame in whose plane an outline lies.

    raises: ShapeError.
    """
    away = [
        off_plane_mm(one.attributes, points) if "ImagePositionPatient" in one.attributes else np.inf
        for one in stack.pictures
    ]
    place = int(np.argmin(away))
    if away[place] > ON_PLANE_MM:
        raise ShapeError("no image of the case lies in the plane of its outline")
    return place


def volume_on(stack: Stack, value: Mapping[str, Any]) -> dict[int, Bits]:
    """Lay a volume's voxels on a case's frames, by where both lie in the patient.

    raises: ShapeError where they do not fall on voxels of the images.
    """
    shape = [int(size) for size in value["shape"]]
    mask = Mask(
        shape=shape, images=[str(1 + place) for place in range(shape[0])], classes={"1": value["runs"]}
    )
    drawn = voxels(mask, "1")
    try:
        grid = grid_of(stack.pictures)
    except LeftOutError as error:
        raise ShapeError(str(error)) from None
    if not grid.placed:
        if tuple(shape) != grid.shape:
            raise ShapeError(
                f"it has {shape} voxels, the images {list(grid.shape)}, and none says where they lie"
            )
        return {place: drawn[place] for place in range(shape[0]) if drawn[place].any()}
    indices = np.argwhere(drawn)[:, ::-1]
    moved = placed_indices(
        np.asarray(np.linalg.inv(grid.affine), np.float64) @ np.asarray(value["affine"], np.float64),
        indices,
        shape,
    )
    found: dict[int, Bits] = {}
    if not len(moved):
        return found
    if (moved < 0).any() or (moved >= np.array(grid.shape[::-1])).any():
        raise ShapeError("some of its voxels lie outside of the images: is it another series' mask?")
    for place in np.unique(moved[:, 2]).tolist():
        plane = np.zeros(grid.shape[1:], dtype=np.bool_)
        inside = moved[moved[:, 2] == place]
        plane[inside[:, 1], inside[:, 0]] = True
        found[int(place)] = plane
    return found


def placed_indices(
    matrix: NDArray[np.float64], indices: NDArray[np.int64], shape: list[int]
) -> NDArray[np.int64]:
    """Take voxels (i, j, k) to those of the images.

    raises: ShapeError where the two grids do not fall together.
    """
    whole = np.rint(matrix)
    corners = np.stack(np.meshgrid(*[(0, size - 1) for size in shape[::-1]]), axis=-1).reshape(-1, 3)
    away = np.abs((matrix - whole)[:3, :3] @ corners.T + (matrix - whole)[:3, 3:]).max()
    if away > OFF_VOXELS or not np.array_equal(np.abs(whole[:3, :3]).sum(axis=0), np.ones(3)):
        raise ShapeError(
            f"its voxels lie {away:.2f} of a voxel off those of the images: resample it to the images first"
        )
    return np.asarray(indices @ whole[:3, :3].T + whole[:3, 3], dtype=np.int64)
