"""Answers held against a case's images, and measured on them: what the browser says of sizes is not asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.projects.answers import asked_of, is_empty
from annotation.projects.masks import Mask, row_counts, voxels
from annotation.projects.problems import Problem
from annotation.projects.questions import Computed, Question, Regions, Segmentation
from annotation.projects.regions import Region
from annotation.readings.computed import Drawn, value_of
from annotation.readings.measurements import (
    Floats,
    PixelSize,
    calibrated_regions,
    inside,
    measures,
    pixel_size,
    size_at,
    statistics,
)
from annotation.studies.frames import UnreadablePixelsError, modality_values
from annotation.studies.models import Series
from annotation.studies.pictures import Picture, pictures_of
from annotation.studies.rules import distances_mm

Answers = Mapping[str, Any]
Named = tuple[str, int]


@dataclass(frozen=True)
class Stack:
    """The frames of a case in reading order, as its answers name them."""

    pictures: list[Picture]

    @cached_property
    def places(self) -> dict[Named, int]:
        """Say where each frame stands in the order."""
        return {picture.key: place for place, picture in enumerate(self.pictures)}

    @cached_property
    def thickness_mm(self) -> NDArray[np.float64] | None:
        """Extent of each frame along the normal, half way to its neighbours; None without positions."""
        distances = distances_mm([one.attributes for one in self.pictures])
        if distances is None or len(distances) < 2:
            return None
        return np.asarray(np.abs(np.gradient(np.asarray(distances))))

    def place_of(self, image: str) -> int | None:
        """Find the frame that "uid" or "uid#frame" names; a uid alone names an instance of one frame."""
        uid, _, number = image.partition("#")
        if not number and (uid, 2) in self.places:
            return None
        return self.places.get((uid, int(number or 1)))


def stack_of(series: Series) -> Stack:
    """Load a case's frames, without their pixels."""
    return Stack(pictures_of(series.instances.all()))


def needs_images(questions: Sequence[Question], answers: Answers) -> bool:
    """Whether an answer names images: the others are taken without loading them."""
    return any(
        (isinstance(one, Regions | Segmentation) or one.scope == "image")
        and not is_empty(answers.get(one.key))
        for one in questions
    )


def misplaced(questions: Sequence[Question], answers: Answers, stack: Stack) -> list[Problem]:
    """List what valid answers say of images that the case does not have."""
    return [problem for one in questions for problem in _misplaced(one, answers.get(one.key), stack)]


def _misplaced(question: Question, answer: Any, stack: Stack) -> Iterator[Problem]:  # noqa: ANN401 - JSON
    if is_empty(answer):
        return
    name = f'question "{question.key}"'
    if isinstance(question, Regions):
        yield from _regions_misplaced(question, answer, stack)
    elif isinstance(question, Segmentation):
        wrong = _wrong_mask(Mask.model_validate(answer), stack)
        if wrong:
            yield Problem(question.key, "bad_mask", f"{name}: {wrong}")
    elif question.scope == "image":
        for image in [one for one in answer if stack.place_of(one) is None]:
            text = f"{name} names an image that this case does not have"
            yield Problem(f"{question.key}.{image}", "unknown_image", text)


def _regions_misplaced(question: Regions, answer: list[Any], stack: Stack) -> Iterator[Problem]:
    for place, region in enumerate(map(Region.model_validate, answer)):
        if (region.image, region.frame) not in stack.places:
            text = (
                f'question "{question.key}", region {place + 1}: it is on an image that is not of this case'
            )
            yield Problem(f"{question.key}.{place}", "bad_region", text)


def _wrong_mask(mask: Mask, stack: Stack) -> str:
    """Say how a mask does not fit the images; nothing where it does."""
    places = [stack.place_of(image) for image in mask.images]
    known = [place for place in places if place is not None]
    if len(known) < len(places):
        return "an image is not of this case"
    if any(after <= before for before, after in pairwise(known)):
        return "its slices do not stand in the order of their position"
    sizes = {(one["Rows"], one["Columns"]) for one in (stack.pictures[place].attributes for place in known)}
    if sizes != {tuple(mask.shape[1:])}:
        rows, columns = sorted(sizes)[0]
        return f"its slices are {mask.shape[1]} × {mask.shape[2]}, the images {rows} × {columns}"
    return ""


def measured(questions: Sequence[Question], answers: Answers, stack: Stack) -> dict[str, Any]:
    """Measure all that was drawn, by region id and question key, and compute what is computed."""
    asked = asked_of(questions, answers)
    drawn: Drawn = {}
    found: dict[str, Any] = {}
    pixels: dict[Named, Floats | None] = {}
    for question in questions:
        answer: Any = answers.get(question.key)
        if isinstance(question, Regions) and asked[question.key] and not is_empty(answer):
            regions = [Region.model_validate(one) for one in answer]
            found |= {one.id: _region(question.kind, one, stack, pixels) for one in regions}
            drawn[question.key] = (question.kind, regions)
        elif isinstance(question, Segmentation) and asked[question.key] and not is_empty(answer):
            mask = Mask.model_validate(answer)
            found[question.key] = {value: _class(mask, value, stack) for value in mask.classes}
            drawn[question.key] = mask
    for question in questions:
        if isinstance(question, Computed):
            found[question.key] = value_of(question.formula, drawn, found)
    return found


def _region(
    kind: str, region: Region, stack: Stack, pixels: dict[Named, Floats | None]
) -> dict[str, float | str]:
    picture = stack.pictures[stack.places[region.image, region.frame]]
    size = size_at(picture.attributes, region.points)
    found: dict[str, float | str] = {**measures(kind, region.points, size), "spacing": size.of}
    if kind in ("line", "bidirectional", "angle"):
        return found
    if picture.key not in pixels:
        pixels[picture.key] = _values(picture)
    values = pixels[picture.key]
    if values is not None:
        shape = (values.shape[0], values.shape[1])
        found |= statistics(values, inside(kind, region.points, shape))
    return found


def _values(picture: Picture) -> Floats | None:
    """Read a frame in the modality's units; None for colour, which has no one value a pixel."""
    if int(picture.attributes.get("SamplesPerPixel", 1)) != 1:
        return None
    try:
        return modality_values(picture.content, picture.attributes)
    except UnreadablePixelsError:
        return None


def _class(mask: Mask, value: str, stack: Stack) -> dict[str, float | str]:
    """Count a class; its area on a single image, its volume on a stack whose spacing is known."""
    counts = row_counts(mask, value).sum(axis=1)
    places = [place for image in mask.images if (place := stack.place_of(image)) is not None]
    sizes = _sizes(mask, value, [stack.pictures[place].attributes for place in places])
    spacing = "pixels" if any(one.of == "pixels" for one in sizes) else sizes[0].of
    found: dict[str, float | str] = {"voxels": int(counts.sum()), "spacing": spacing}
    if spacing == "pixels":
        return found
    areas = counts * np.array([one.row * one.column for one in sizes])
    if len(stack.pictures) == 1:
        found["area_mm2"] = float(areas.sum())
    elif stack.thickness_mm is not None:
        found["volume_mm3"] = float(areas @ stack.thickness_mm[places])
    return found


def _sizes(mask: Mask, value: str, slices: Sequence[Mapping[str, Any]]) -> list[PixelSize]:
    """Size of a class's pixels on each slice: on calibrated ultrasound that of the region that holds it."""
    if not any(calibrated_regions(one) for one in slices):
        return [pixel_size(one) for one in slices]
    return [size_at(one, _ends(drawn)) for one, drawn in zip(slices, voxels(mask, value), strict=True)]


def _ends(drawn: NDArray[np.bool_]) -> list[list[float]]:
    """Opposite corners of the box around what is drawn, as points; none where nothing is."""
    rows, columns = np.nonzero(drawn)
    if not len(rows):
        return []
    return [[float(columns.min()), float(rows.min())], [columns.max() + 1.0, rows.max() + 1.0]]
