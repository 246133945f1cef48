"""Boxes overwritten in every frame: what a person has marked is not in the stored file any more."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from annotation.studies.door.pixels import Frame, Pixels
from annotation.studies.door.verdict import RejectedFileError

Box = Sequence[int]
MOST_BOXES = 100


def masked(decoded: Iterable[Frame], boxes: Sequence[Box]) -> Iterator[Frame]:
    """Overwrite the boxes, (left, top, right, bottom) with the last two excluded, in each frame.

    raises: RejectedFileError where a box is none, or lies outside.
    """
    for frame in decoded:
        pixels = frame.pixels.copy()
        dark = _darkest(frame)
        for box in boxes:
            left, top, right, bottom = _within(box, frame)
            pixels[top:bottom, left:right] = dark
        yield Frame(pixels, frame.layout)


def _within(box: Box, frame: Frame) -> tuple[int, int, int, int]:
    if len(box) != 4 or not all(isinstance(edge, int) for edge in box):
        raise RejectedFileError("a box to be masked has four edges in whole pixels")
    left, top, right, bottom = box
    if not (0 <= left < right <= frame.layout.columns and 0 <= top < bottom <= frame.layout.rows):
        raise RejectedFileError("a box to be masked lies outside of the image")
    return left, top, right, bottom


def _darkest(frame: Frame) -> Pixels:
    """Give the value of the frame that is shown darkest; of a colour, none of each."""
    if frame.layout.samples > 1:
        return np.zeros(1, frame.pixels.dtype)
    extreme = np.nanmax if frame.layout.photometric == "MONOCHROME1" else np.nanmin
    return np.asarray(extreme(frame.pixels), frame.pixels.dtype)
