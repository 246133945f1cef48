"""A case's stored frames at working size, and what a reader drew on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.learning.drawn import Drawable, Drawing
from annotation.projects.masks import Mask, row_counts, voxels
from annotation.projects.models import Case
from annotation.projects.questions import Label, Segmentation
from annotation.projects.regions import Region
from annotation.studies.pictures import Picture, pictures_of
from mlworker.pixels.planes import picture
from mlworker.pixels.stacks import evenly
from mlworker.regions import rasters
from mlworker.regions.filters import Floats, resized, working_shape
from mlworker.regions.head import Seen

MOST_DRAWN, MOST_EMPTY = 6, 2
# A region is often drawn on one slice of several that show it: those beside it teach nothing.
BESIDE = 3


@dataclass(frozen=True)
class Frames:
    """The frames of a case in reading order."""

    pictures: Sequence[Picture]

    @classmethod
    def of(cls, case: Case) -> "Frames":
        """List a case's frames, without their pixels."""
        return cls(pictures_of(case.series.instances.all()))

    def shape(self, place: int) -> tuple[int, int]:
        """Rows and columns as stored."""
        attributes = self.pictures[place].attributes
        return int(attributes["Rows"]), int(attributes["Columns"])

    def image(self, place: int, longest: int) -> Floats:
        """Read a frame as a display would show it, at working size: (y, x) or (y, x, 3), 0…1.

        raises: UnreadablePixelsError.
        """
        one = self.pictures[place]
        values = picture(one.content, one.attributes).values
        return resized(values, working_shape(self.shape(place), longest))

    @property
    def names(self) -> list[str]:
        """Name the frames as masks do: "uid", or "uid#frame" where an instance has several."""
        several = {one.sop_instance_uid for one in self.pictures if one.frame > 1}
        return [
            f"{one.sop_instance_uid}#{one.frame}" if one.sop_instance_uid in several else one.sop_instance_uid
            for one in self.pictures
        ]


def seen_in(question: Drawable, drawing: Drawing, number: int, longest: int) -> list[Seen]:
    """Read the frames of a case that teach something; number: which case it is."""
    frames = Frames.of(drawing.case)
    if isinstance(question, Segmentation):
        return _of_mask(question, drawing, frames, number, longest)
    return _of_regions(question, drawing, frames, number, longest)


def _of_mask(
    question: Segmentation, drawing: Drawing, frames: Frames, number: int, longest: int
) -> list[Seen]:
    if drawing.answer is None:
        places = _some(range(len(frames.pictures)), MOST_EMPTY)
        return [_seen(frames, place, number, longest) for place in places]
    mask = Mask.model_validate(drawing.answer)
    there = {name: place for place, name in enumerate(frames.names)}
    values = [one.value for one in question.classes]
    counts = sum(row_counts(mask, value).sum(axis=1) for value in values)
    drawn = np.flatnonzero(counts)
    chosen = _some(drawn.tolist(), MOST_DRAWN) + _some(np.flatnonzero(counts == 0).tolist(), MOST_EMPTY)
    painted = np.zeros(mask.shape, dtype=np.uint8)
    for label, value in enumerate(values, start=1):
        painted[voxels(mask, value)] = label
    found = []
    for at in chosen:
        image = frames.image(there[mask.images[at]], longest)
        found.append(Seen(image, shrunk(painted[at], image.shape[:2], len(values)), number))
    return found


def shrunk(labels: rasters.Labels, shape: tuple[int, ...], classes: int) -> rasters.Labels:
    """Bring a mask to working size: each pixel gets the class that covers most of it."""
    small = (shape[0], shape[1])
    covers = [resized((labels == one).astype(np.float32), small) for one in range(classes + 1)]
    return np.asarray(np.stack(covers).argmax(axis=0), dtype=np.uint8)


def _of_regions(
    question: Drawable, drawing: Drawing, frames: Frames, number: int, longest: int
) -> list[Seen]:
    regions = [Region.model_validate(one) for one in drawing.answer or []]
    numbers = {label.value: at for at, label in enumerate(labels_of(question), start=1)}
    places = {one.key: place for place, one in enumerate(frames.pictures)}
    by_place: dict[int, list[tuple[int, rasters.Points]]] = {}
    for one in regions:
        if one.label in numbers and (one.image, one.frame) in places:
            by_place.setdefault(places[one.image, one.frame], []).append((numbers[one.label], one.points))
    far = [
        place
        for place in range(len(frames.pictures))
        if all(abs(place - other) > BESIDE for other in by_place)
    ]
    chosen = _some(sorted(by_place), MOST_DRAWN) + _some(far, MOST_EMPTY)
    return [_seen(frames, place, number, longest, question.kind, by_place.get(place, [])) for place in chosen]


def _seen(
    frames: Frames,
    place: int,
    number: int,
    longest: int,
    kind: str = "",
    regions: Sequence[tuple[int, rasters.Points]] = (),
) -> Seen:
    image, (rows, columns) = frames.image(place, longest), frames.shape(place)
    down, across = image.shape[0] / rows, image.shape[1] / columns
    scaled = [(label, [[x * across, y * down] for x, y in points]) for label, points in regions]
    boxes = [rasters.box_of(points, label) for label, points in scaled]
    return Seen(image, rasters.drawn(kind, scaled, (image.shape[0], image.shape[1])), number, boxes)


def labels_of(question: Drawable) -> list[Label]:
    """List the labels or classes of a question."""
    return list(question.classes if isinstance(question, Segmentation) else question.labels)


def _some(places: Iterable[int], most: int) -> list[int]:
    listed = list(places)
    return [listed[at] for at in evenly(len(listed), most)] if listed else []
