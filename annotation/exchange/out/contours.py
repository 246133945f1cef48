"""Outlines of masks along the edges of their pixels, and filled again. Pure.

Points are (column, row) with 0, 0 at the top left corner of the top left pixel. Holes are outlines of their
own: what lies inside an odd number of outlines is drawn (PS3.3 C.8.8.6.3, CLOSEDPLANAR_XOR).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]
Points = NDArray[np.float64]


def outlines_of(pixels: NDArray[np.bool_]) -> list[Points]:
    """Walk along the edges of the pixels that are drawn, with these on the right hand.

    pixels: (row, column). returns: closed outlines, (point, 2), corners alone.
    """
    edges = edges_of(pixels)
    found = []
    for start in sorted(edges):
        while start in edges:
            found.append(corners_of(walk(edges, start)))
    return found


def edges_of(pixels: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """List the edges between a drawn pixel and one that is not, each from corner to corner."""
    padded = np.pad(pixels, 1)
    inner = padded[1:-1, 1:-1]
    edges: dict[Corner, list[Corner]] = {}
    sides = (
        (inner & ~padded[:-2, 1:-1], (0, 0), (1, 0)),  # above: left to right
        (inner & ~padded[1:-1, 2:], (1, 0), (1, 1)),  # right: down
        (inner & ~padded[2:, 1:-1], (1, 1), (0, 1)),  # below: right to left
        (inner & ~padded[1:-1, :-2], (0, 1), (0, 0)),  # left: up
    )
    for open_side, first, last in sides:
        for row, column in zip(*np.nonzero(open_side), strict=True):
            begin = (int(column) + first[0], int(row) + first[1])
            edges.setdefault(begin, []).append((int(column) + last[0], int(row) + last[1]))
    return edges


def walk(edges: dict[Corner, list[Corner]], start: Corner) -> list[Corner]:
    """Follow edges until the start is reached again; each is used up.

    At a crossing it turns right: pixels that touch by a corner alone become outlines of their own.
    """
    path, here, heading = [start], start, (0, 0)
    while True:
        choices = edges[here]
        onward = min(choices, key=lambda one: turn(heading, (one[0] - here[0], one[1] - here[1])))
        choices.remove(onward)
        if not choices:
            del edges[here]
        heading, here = (onward[0] - here[0], onward[1] - here[1]), onward
        if here == start:
            return path
        path.append(here)


def turn(heading: Corner, onward: Corner) -> int:
    """Rank a turn: right, straight on, left (rows grow downwards)."""
    cross = heading[0] * onward[1] - heading[1] * onward[0]
    return -cross


def corners_of(path: list[Corner]) -> Points:
    """Leave out the points in the middle of straight lines."""
    points = np.array(path, dtype=np.float64)
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    is_corner = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 0
    return points[is_corner]


def filled(outlines: Iterable[Points], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw the pixels whose centre lies inside an odd number of outlines."""
    drawn = np.zeros(shape, dtype=np.bool_)
    sides = [np.concatenate([one, np.roll(one, -1, axis=0)], axis=1) for one in outlines]
    x0, y0, x1, y1 = np.concatenate(sides).T
    columns = np.arange(shape[1]) + 0.5
    for row in range(max(0, int(y0.min())), min(shape[0], int(np.ceil(y0.max())))):
        y = row + 0.5
        crossed = np.flatnonzero((y0 <= y) != (y1 <= y))
        share = (y - y0[crossed]) / (y1[crossed] - y0[crossed])
        at = np.sort(x0[crossed] + share * (x1[crossed] - x0[crossed]))
        drawn[row] = np.searchsorted(at, columns, side="right") % 2 == 1
    return drawn
