"""Regions on an image: points of a shape, with a label and attributes. Pure.

Points are (column, row) as DICOM's SCOORD counts them: 0, 0 is the top left corner of the top left pixel.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from annotation.projects.conditions import STRICT

MOST_POINTS = 10_000
FARTHEST = 1e6
# Fewest and most points of a shape, and which pairs of them must not fall together.
POINTS: dict[str, tuple[int, int]] = {
    "point": (1, 1),
    "line": (2, 2),
    "bidirectional": (4, 4),
    "angle": (3, 4),
    "box": (2, 2),
    "ellipse": (4, 4),
    "polygon": (3, MOST_POINTS),
    "freehand": (3, MOST_POINTS),
}
AXES = [(0, 1), (2, 3)]
PAIRS: dict[str, list[tuple[int, int]]] = {"line": [(0, 1)], "bidirectional": AXES, "ellipse": AXES}
ARMS = {3: [(0, 1), (1, 2)], 4: AXES}

Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class Region(BaseModel):
    """One region that a reader drew, or took over from a suggestion."""

    model_config = STRICT
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    label: str
    image: Annotated[str, Field(pattern=r"^[0-9.]{1,64}$")]
    frame: Annotated[int, Field(ge=1)] = 1
    points: list[Point]
    attributes: dict[str, Any] = {}
    origin: Literal["reader", "suggestion", "edited"] = "reader"


def region_of(shape: str, answer: object) -> Region:
    """Read a region of a shape.

    raises: ValueError saying what is wrong with it.
    """
    try:
        region = Region.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    fewest, most = POINTS[shape]
    if not fewest <= len(region.points) <= most:
        raise ValueError(f"a {shape} has {_span(fewest, most)} points, this one {len(region.points)}")
    if is_flat(shape, region.points):
        raise ValueError(f"the {shape} has no extent: draw it larger")
    return region


def is_flat(shape: str, points: Sequence[Sequence[float]]) -> bool:
    """Whether a shape's points fall together, so that it measures nothing."""
    if shape == "box":
        (left, top), (right, bottom) = points
        return left == right or top == bottom
    pairs = ARMS[len(points)] if shape == "angle" else PAIRS.get(shape, [])
    return any(points[first] == points[second] for first, second in pairs)


def _span(fewest: int, most: int) -> str:
    if fewest == most:
        return str(fewest)
    return f"at least {fewest}" if most == MOST_POINTS else f"{fewest} or {most}"
