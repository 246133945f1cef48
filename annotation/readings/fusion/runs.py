"""STAPLE of masks as they are kept, run by run, without drawing a voxel. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.projects.masks import Integers, Mask, intervals, runs_of_spans
from annotation.readings.fusion.choices import Floats
from annotation.readings.fusion.masks import MARGIN, staple

DIGITS = 3


@dataclass(frozen=True)
class FusedMask:
    """A mask as an answer, and how likely each class is: [share, runs] by class, for what anybody drew."""

    answer: dict[str, Any]
    levels: dict[str, list[list[Any]]]


def fused_mask(masks: Sequence[Mask | None], values: Sequence[str]) -> FusedMask | None:
    """Fuse masks; None in it: the reader drew nothing. None where nobody drew, or not on the same images.

    values: the question's classes.
    """
    drawn = [one for one in masks if one is not None]
    if not drawn or any((one.images, one.shape) != (drawn[0].images, drawn[0].shape) for one in drawn):
        return None
    first = drawn[0]
    spans, votes = pieces_of(masks, values)
    patterns, places = np.unique(votes, axis=0, return_inverse=True)
    places = places.ravel()
    counts = np.bincount(places, spans[:, 1] - spans[:, 0])
    around = box_volume(spans, (first.shape[1], first.shape[2]), first.shape[0]) - counts.sum()
    background = np.zeros((1, len(masks)), dtype=np.int64)
    shares = staple(
        np.concatenate([patterns, background]), np.append(counts, around), classes=len(values) + 1
    ).shares[places]
    chosen = shares.argmax(axis=1)
    classes = {
        value: runs_of_spans(spans[chosen == code], first.size)
        for code, value in enumerate(values, start=1)
        if (chosen == code).any()
    }
    answer = {"shape": list(first.shape), "images": list(first.images), "classes": classes}
    levels = {
        value: levels_of(spans, shares[:, code], first.size) for code, value in enumerate(values, start=1)
    }
    return FusedMask(answer, {value: one for value, one in levels.items() if one})


def pieces_of(masks: Sequence[Mask | None], values: Sequence[str]) -> tuple[Integers, Integers]:
    """Cut what anybody drew into pieces that each reader gave one class.

    returns: (piece, 2), first voxel and the one after the last; (piece, reader), 0 for background.
    """
    parts = [
        (reader, code, intervals(mask.classes[value], mask.size))
        for reader, mask in enumerate(masks)
        if mask is not None
        for code, value in enumerate(values, start=1)
        if value in mask.classes
    ]
    edges = np.unique(np.concatenate([spans.ravel() for _, _, spans in parts] or [np.zeros(0, np.int64)]))
    starts = edges[:-1]
    votes = np.zeros((len(starts), len(masks)), dtype=np.int64)
    for reader, code, spans in parts:
        at = np.searchsorted(spans[:, 0], starts, side="right") - 1
        votes[(at >= 0) & (starts < spans[at, 1]), reader] = code
    kept = votes.any(axis=1)
    return np.stack([starts, edges[1:]], axis=1)[kept], votes[kept]


def box_volume(spans: Integers, plane: tuple[int, int], slices: int) -> int:
    """Voxels of the box around what was drawn, one voxel wider on each side where the image goes on."""
    rows, columns = plane
    first, last = spans[:, 0], spans[:, 1] - 1
    lines = first // columns, last // columns
    sheets = lines[0] // rows, lines[1] // rows
    return (
        _extent(*sheets, slices)
        * _extent(*_within(sheets, lines, rows), rows)
        * _extent(*_within(lines, (first, last), columns), columns)
    )


def _within(
    outer: tuple[Integers, Integers], inner: tuple[Integers, Integers], size: int
) -> tuple[Integers, Integers]:
    """Places inside a row or slice; what goes on into the next one fills it."""
    same = outer[0] == outer[1]
    return np.where(same, inner[0] % size, 0), np.where(same, inner[1] % size, size - 1)


def _extent(low: Integers, high: Integers, size: int) -> int:
    return min(size - 1, int(high.max()) + MARGIN) - max(0, int(low.min()) - MARGIN) + 1


def levels_of(spans: Integers, shares: Floats, size: int) -> list[list[Any]]:
    """Write how likely a class is, rounded, the likeliest first."""
    rounded = shares.round(DIGITS)
    known = np.unique(rounded[rounded > 0])[::-1]
    return [[float(share), runs_of_spans(spans[rounded == share], size)] for share in known]
