"""COCO's run-length codes of masks: column by column, background first (Lin 2014). Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIX_BITS, FIVE_BITS, MORE, NEGATIVE = 48, 0x1F, 0x20, 0x10


def runs_of(pixels: NDArray[np.bool_]) -> list[int]:
    """Write pixels as uncompressed runs."""
    flat = pixels.ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
    bounds = [0, *edges.tolist(), flat.size]
    runs = [after - before for before, after in pairwise(bounds)]
    return runs[:-1] if runs[-1] == 0 else runs


def pixels_of(segmentation: dict[str, Any]) -> NDArray[np.bool_]:
    """Draw runs, compressed ones too.

    raises: ValueError where they do not cover the picture.
    """
    counts = segmentation["counts"]
    lengths: Sequence[int] = uncompressed(counts) if isinstance(counts, str) else counts
    values = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return values.reshape(segmentation["size"], order="F")


def uncompressed(text: str) -> list[int]:
    """Read compressed runs: numbers of 5 bits a character; from the third on, the change from two before."""
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - SIX_BITS
        value |= (bits & FIVE_BITS) << shift
        shift += 5
        if not bits & MORE:
            if bits & NEGATIVE:
                value |= -1 << shift
            found.append(value + found[-2] if len(found) > 2 else value)
            value = shift = 0
    return found
