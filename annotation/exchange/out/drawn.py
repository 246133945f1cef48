"""What was drawn in answers: regions by shape, masks as voxels on a case's frames. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.exchange.out.frozen import FrozenCase, Said
from annotation.exchange.out.rules import LeftOutError
from annotation.projects.answers import is_empty
from annotation.projects.masks import Mask, voxels
from annotation.projects.questions import Label, Regions, Segmentation
from annotation.projects.regions import Region
from annotation.readings.measurements import Points, corners
from annotation.studies.pictures import Picture

CLOSED = ("box", "ellipse", "polygon", "freehand")
SIDES = 180  # of the polygon that stands for an ellipse: off by less than 0.02 % of its axis


@dataclass(frozen=True)
class Drawing:
    """A region, the question that it answers, its label, and the frame that it is on."""

    question: Regions
    label: Label
    region: Region
    picture: Picture


@dataclass(frozen=True)
class Painting:
    """A mask, the question that it answers, and the frames that it is on, in its order."""

    question: Segmentation
    mask: Mask
    places: list[int]

    def voxels(self, value: str) -> NDArray[np.bool_]:
        """Draw a class on the mask's own slices: (slice, row, column)."""
        return voxels(self.mask, value)

    def labelmap(self, case: FrozenCase, classes: Sequence[str]) -> NDArray[np.uint8]:
        """Draw all classes on all of a case's frames: (frame, row, column), 0 outside, else from 1."""
        frames = len(case.pictures)
        found = np.zeros((frames, *self.mask.shape[1:]), dtype=np.uint8)
        for number, value in enumerate(classes, start=1):
            drawn = voxels(self.mask, value)
            for place, plane in zip(self.places, drawn, strict=True):
                found[place][plane] = number
        return found


def drawings_in(case: FrozenCase, said: Said) -> Iterator[Drawing]:
    """Give the regions of answers, in the order of the questions."""
    by_key = {picture.key: picture for picture in case.pictures}
    for question in said.questions:
        answer = said.answers.get(question.key)
        if not isinstance(question, Regions) or is_empty(answer):
            continue
        labels = {one.value: one for one in question.labels}
        for region in map(Region.model_validate, answer or []):
            yield Drawing(question, labels[region.label], region, by_key[region.image, region.frame])


def paintings_in(case: FrozenCase, said: Said) -> Iterator[Painting]:
    """Give the masks of answers, in the order of the questions."""
    for question in said.questions:
        answer = said.answers.get(question.key)
        if not isinstance(question, Segmentation) or is_empty(answer):
            continue
        mask = Mask.model_validate(answer)
        places = [place for image in mask.images if (place := case.stack.place_of(image)) is not None]
        if len(places) < len(mask.images):
            raise LeftOutError("its mask names an image that the case does not have any more")
        yield Painting(question, mask, places)


def outline(kind: str, points: Points) -> NDArray[np.float64]:
    """Give the closed outline of a region: (point, 2) columns and rows; an ellipse as a polygon."""
    placed = np.asarray(points, dtype=np.float64)
    if kind == "box":
        return corners(placed)
    if kind == "ellipse":
        centre = placed.mean(axis=0)
        first, second = (placed[1] - placed[0]) / 2, (placed[3] - placed[2]) / 2
        angle = np.linspace(0.0, 2.0 * np.pi, SIDES, endpoint=False)[:, None]
        return np.asarray(centre + np.cos(angle) * first + np.sin(angle) * second)
    return placed
