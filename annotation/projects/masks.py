"""Masks as run-length codes: lengths of alternating background and foreground runs. Pure.

A class's runs cover the whole mask (z, y, x, flattened), start with background, and are written as LEB128
numbers (7 bits a byte, lowest first) in base64. Only the first run may be 0 long: each mask has one code.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from annotation.projects.conditions import STRICT

LARGEST_MASK = 2**31
LONGEST_NUMBER = 5
IMAGE = r"^[0-9.]{1,64}(#[1-9][0-9]{0,6})?$"

Integers = NDArray[np.int64]
ImageName = Annotated[str, Field(pattern=IMAGE)]


class MaskError(ValueError):
    """What is given is no mask; the message says why."""


class Mask(BaseModel):
    """Classes of voxels on images in the order of their position; runs by class value."""

    model_config = STRICT
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3, max_length=3)]
    images: list[ImageName]
    classes: dict[str, str]

    @property
    def size(self) -> int:
        """Count its voxels."""
        slices, rows, columns = self.shape
        return slices * rows * columns


def mask_of(answer: object) -> Mask:
    """Read a mask and check it: sizes agree, every code is whole, no voxel has two classes.

    raises: MaskError.
    """
    try:
        mask = Mask.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise MaskError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if not len(mask.images) == len(set(mask.images)) == mask.shape[0]:
        raise MaskError(f"it has {mask.shape[0]} slices: name as many different images")
    if mask.size > LARGEST_MASK:
        raise MaskError(f"it has {mask.size} voxels: at most {LARGEST_MASK}")
    check_disjoint(mask)
    return mask


def check_disjoint(mask: Mask) -> None:
    """Hold the classes against each other and against the size.

    raises: MaskError.
    """
    parts = [intervals(runs, mask.size) for runs in mask.classes.values()]
    if not parts:
        return
    found = np.concatenate(parts)
    found = found[np.argsort(found[:, 0], kind="stable")]
    if (found[1:, 0] < found[:-1, 1]).any():
        raise MaskError("two classes share a voxel: give each voxel one class")


def intervals(runs: str, size: int) -> Integers:
    """Give the foreground of a code, (run, 2): first voxel, and the one after the last.

    raises: MaskError where the runs do not cover the mask exactly.
    """
    lengths = numbers(runs)
    if (lengths[1:] < 1).any() or int(lengths.sum()) != size:
        raise MaskError(f"the runs cover {int(lengths.sum())} voxels of {size}, or one of them is empty")
    ends = np.cumsum(lengths)
    return np.stack([ends[0::2][: len(ends[1::2])], ends[1::2]], axis=1)


def numbers(text: str) -> Integers:
    """Decode LEB128 in base64.

    raises: MaskError.
    """
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    except (binascii.Error, ValueError):
        raise MaskError("the runs are no base64") from None
    if not len(found) or found[-1] & 0x80:
        raise MaskError("the runs end in the middle of a number")
    starts = np.flatnonzero(np.concatenate([[True], found[:-1] < 0x80]))
    widths = np.diff(np.append(starts, len(found)))
    if widths.max() > LONGEST_NUMBER:
        raise MaskError("a run is longer than any mask")
    places = np.arange(len(found)) - np.repeat(starts, widths)
    return np.add.reduceat((found & 0x7F).astype(np.int64) << (7 * places), starts)


def voxels(mask: Mask, value: str) -> NDArray[np.bool_]:
    """Draw one class.

    returns: (z, y, x); all False where the mask does not have the class.
    """
    drawn = np.zeros(mask.size, dtype=np.bool_)
    if value in mask.classes:
        for first, after in intervals(mask.classes[value], mask.size):
            drawn[first:after] = True
    return drawn.reshape(mask.shape)


def row_counts(mask: Mask, value: str) -> Integers:
    """Count a class's voxels in each row of each slice, without drawing them.

    returns: (z, y).
    """
    slices, rows, columns = mask.shape
    spans = intervals(mask.classes[value], mask.size) if value in mask.classes else np.zeros((0, 2), np.int64)
    edges = np.arange(slices * rows + 1, dtype=np.int64) * columns
    before = np.concatenate([[0], np.cumsum(spans[:, 1] - spans[:, 0])])
    begun = np.searchsorted(spans[:, 0], edges)
    ends = np.concatenate([[0], spans[:, 1]])
    counted = before[begun] - np.maximum(0, ends[begun] - edges)
    return np.diff(counted).reshape(slices, rows)


def runs_of(drawn: NDArray[np.bool_]) -> str:
    """Write one class as a code; the inverse of voxels."""
    flat = np.concatenate([[False], drawn.ravel()])
    return _written(np.flatnonzero(flat[1:] != flat[:-1]), drawn.size)


def runs_of_spans(spans: Integers, size: int) -> str:
    """Write one class as a code; the inverse of intervals.

    spans: (run, 2), ascending, none over another; those that touch become one.
    """
    first, after = spans[:, 0], spans[:, 1]
    begins = np.concatenate([[True], first[1:] != after[:-1]]) if len(spans) else np.zeros(0, dtype=np.bool_)
    edges = np.stack([first[begins], np.append(after[:-1][begins[1:]], after[-1:])], axis=1).ravel()
    return _written(edges[edges < size], size)


def _written(edges: Integers, size: int) -> str:
    lengths = np.diff(np.concatenate([[0], edges, [size]]))
    return base64.b64encode(b"".join(map(_leb128, lengths.tolist()))).decode()


def _leb128(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def written(shape: tuple[int, int, int], images: list[str], classes: Mapping[str, Any]) -> dict[str, Any]:
    """Write a mask as an answer; classes: (z, y, x) of booleans by value."""
    runs = {value: runs_of(np.asarray(drawn, dtype=np.bool_)) for value, drawn in classes.items()}
    return {"shape": list(shape), "images": images, "classes": runs}
