"""What a pixel head proposes for a case, written as an answer of its question."""

import uuid
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.learning.drawn import Drawable, Proposed
from annotation.projects.masks import written
from annotation.projects.models import Case
from annotation.projects.questions import Regions, Segmentation
from annotation.readings.agreement.drawn import overlap
from mlworker.pixels.stacks import evenly
from mlworker.regions.filters import Floats, resized
from mlworker.regions.head import PixelHead
from mlworker.regions.looking import Frames, labels_of
from mlworker.regions.rasters import Box, Labels
from mlworker.regions.shapes import Found, points_of

MOST_FRAMES, MOST_REGIONS = 64, 100
# Parts on neighbouring slices that overlap so much are one thing, which a reader marks once.
BESIDE, SAME_THING = 3, 0.3
MASK = "mask"


@dataclass(frozen=True)
class Placed:
    """A region that was found on a frame; box: in the frame's own pixels."""

    place: int
    found: Found

    @property
    def box(self) -> Box:
        """Its box."""
        return self.found.box


def proposed(head: PixelHead, question: Drawable, case: Case, *, version: uuid.UUID) -> Proposed | None:
    """Draw what a head finds on a case; None where its frames cannot be painted as one.

    version: names the head, so that the same head names the same regions alike.
    raises:  UnreadablePixelsError.
    """
    frames = Frames.of(case)
    places = evenly(len(frames.pictures), MOST_FRAMES)
    if isinstance(question, Segmentation):
        return _mask(head, question, case, frames, places)
    found = [
        Placed(place, one)
        for place in places
        for one in scaled(head.regions(head.chances(frames.image(place, head.longest))), frames, place, head)
    ]
    return _regions(question, case, frames, found, version)


def _mask(
    head: PixelHead, question: Segmentation, case: Case, frames: Frames, places: list[int]
) -> Proposed | None:
    sizes = {frames.shape(place) for place in range(len(frames.pictures))}
    if len(sizes) > 1:
        return None
    labels = np.zeros((len(frames.pictures), *sizes.pop()), dtype=np.uint8)
    sure: list[float] = []
    for place in places:
        labels[place], chance = drawn_on(head, frames, place)
        sure += [chance] if labels[place].any() else []
    values = [one.value for one in labels_of(question)]
    classes = {value: labels == at for at, value in enumerate(values, start=1) if (labels == at).any()}
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    answer = written(shape, frames.names, classes) if classes else {}
    scores = {MASK: round(float(np.mean(sure)), 4)} if sure else {}
    return Proposed(case.pk, answer, scores)


def drawn_on(head: PixelHead, frames: Frames, place: int) -> tuple[Labels, float]:
    """Draw a frame's mask in its own size, and say how sure its foreground is."""
    chances = head.chances(frames.image(place, head.longest))
    own = frames.shape(place)
    larger = own[0] * own[1] / (chances.shape[0] * chances.shape[1])
    grown: Floats = resized(chances, own)
    labels = replace(head, smallest=head.smallest * larger).mask(grown)
    there = labels > 0
    return labels, float((1.0 - grown[..., 0])[there].mean()) if there.any() else 0.0


def scaled(found: list[Found], frames: Frames, place: int, head: PixelHead) -> list[Found]:
    """Bring regions from working size to the frame's own."""
    rows, columns = frames.shape(place)
    factor = min(1.0, head.longest / max(rows, columns))
    across, down = columns / max(1, round(columns * factor)), rows / max(1, round(rows * factor))
    return [
        Found(one.box.scaled(across, down), [[x * across, y * down] for x, y in one.outline]) for one in found
    ]


def _regions(
    question: Regions, case: Case, frames: Frames, found: list[Placed], version: uuid.UUID
) -> Proposed:
    most = min(MOST_REGIONS, question.max or MOST_REGIONS)
    kept = each_once(found)[:most]
    labels = labels_of(question)
    answer, scores = [], {}
    for nth, one in enumerate(kept):
        name = str(uuid.uuid5(version, f"{case.pk}/{question.key}/{nth}"))
        scores[name] = round(one.box.score, 4)
        answer.append(_written(question, one, frames, name, labels[one.box.label - 1].value))
    return Proposed(case.pk, answer, scores)


def _written(question: Regions, placed: Placed, frames: Frames, name: str, label: str) -> dict[str, Any]:
    picture = frames.pictures[placed.place]
    points = [[round(x, 2), round(y, 2)] for x, y in points_of(question.kind, placed.found)]
    return {
        "id": name,
        "label": label,
        "image": picture.sop_instance_uid,
        "frame": picture.frame,
        "points": points,
        "attributes": {},
        "origin": "suggestion",
    }


def each_once(found: list[Placed]) -> list[Placed]:
    """Keep the surest of what is the same thing on neighbouring frames, the surest first."""
    kept: list[Placed] = []
    for one in sorted(found, key=lambda other: -other.box.score):
        near = [other for other in kept if 0 < abs(other.place - one.place) <= BESIDE]
        same = [other for other in near if other.box.label == one.box.label]
        if all(overlap(other.box.edges, one.box.edges) < SAME_THING for other in same):
            kept.append(one)
    return kept
