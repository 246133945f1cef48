"""A pixel head: the filter bank and a forest learn from a few drawn images what to draw on others. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mlworker.regions import filters
from mlworker.regions.forest import Forest, grown
from mlworker.regions.judging import dice, f1
from mlworker.regions.rasters import CORE, UNKNOWN, Box
from mlworker.regions.shapes import Found, found_in, mask_in

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Pixels = tuple[Floats, NDArray[np.intp]]
SEGMENTATION = "segmentation"
PIXELS, LEAST_PIXELS = 24_000, 100
FOLDS, MOST_JUDGED = 3, 12
FEWEST_CASES = 3
USUAL_THRESHOLD = 0.65
THRESHOLDS = tuple(np.linspace(0.35, 0.95, 13).round(2).tolist())


@dataclass(frozen=True)
class Seen:
    """An image that a reader drew on, at working size. case: which case it is of; boxes: of its regions.

    labels: (y, x), 0 background, n the nth class, UNKNOWN what nothing is said of.
    """

    image: Floats
    labels: Labels
    case: int
    boxes: Sequence[Box] = ()


@dataclass(frozen=True)
class PixelHead:
    """What tells a question's classes apart, pixel by pixel. longest: side of the working image.

    threshold: least probability of not being background. smallest: pixels of the smallest part that is kept.
    """

    kind: str
    classes: tuple[str, ...]
    channels: int
    longest: int
    forest: Forest
    threshold: float = USUAL_THRESHOLD
    smallest: float = 1.0

    @property
    def core(self) -> float:
        """Share of a region's extent that was learned as its inside."""
        return CORE if self.kind in {"box", "ellipse"} else 1.0

    def chances(self, image: Floats) -> Floats:
        """Probability of each class, the background first: (y, x[, 3]) at working size → (y, x, class)."""
        features = filters.bank(filters.in_channels(image, self.channels))
        flat = self.forest.probabilities(features.reshape(-1, features.shape[-1]))
        return flat.reshape(*image.shape[:2], -1)

    def mask(self, chances: Floats) -> Labels:
        """Draw a mask from probabilities."""
        return mask_in(chances, threshold=self.threshold, smallest=self.smallest)

    def regions(self, chances: Floats) -> list[Found]:
        """Find regions in probabilities."""
        return found_in(chances, threshold=self.threshold, smallest=self.smallest, core=self.core)


@dataclass(frozen=True)
class Quality:
    """How well drawings of readings that were held back were found: Dice, or F1 at an overlap of a half."""

    metric: str
    value: float
    images: int


def fitted(
    kind: str, classes: Sequence[str], seen: Sequence[Seen], *, longest: int, seed: int = 0
) -> tuple[PixelHead, Quality]:
    """Learn from drawn images; the threshold is chosen on cases that are held back in turn.

    Of fewer than three cases none is held back: the threshold is the usual one, the quality of no image.
    """
    channels = 3 if any(one.image.ndim == 3 for one in seen) else 1
    random = np.random.default_rng(seed)
    pixels = [_sampled(one, channels, len(classes) + 1, len(seen), random) for one in seen]
    head = PixelHead(kind, tuple(classes), channels, longest, _forest(pixels, len(classes) + 1, seed))
    head = replace(head, smallest=_smallest(kind, seen))
    judged = _held_back(head, seen, pixels, random)
    metric = "dice" if kind == SEGMENTATION else "f1"
    if not judged:
        return head, Quality(metric, 0.0, 0)
    scores = [np.mean([score(replace(head, threshold=at), *one) for one in judged]) for at in THRESHOLDS]
    best = int(np.argmax(scores))
    return replace(head, threshold=THRESHOLDS[best]), Quality(metric, float(scores[best]), len(judged))


def _held_back(
    head: PixelHead, seen: Sequence[Seen], pixels: Sequence[Pixels], random: np.random.Generator
) -> list[tuple[Seen, Floats]]:
    """Predict images of cases that a forest has not learned from."""
    cases = sorted({one.case for one in seen})
    if len(cases) < FEWEST_CASES:
        return []
    fold = dict(zip(cases, (random.permutation(len(cases)) % FOLDS).tolist(), strict=True))
    found = []
    for number in range(FOLDS):
        kept = [own for own, one in zip(pixels, seen, strict=True) if fold[one.case] != number]
        other = replace(head, forest=_forest(kept, len(head.classes) + 1, number))
        images = [one for one in seen if fold[one.case] == number][: MOST_JUDGED // FOLDS]
        found += [(one, other.chances(one.image)) for one in images]
    return found


def score(head: PixelHead, seen: Seen, chances: Floats) -> float:
    """Hold what a head draws against the reader's: mean Dice over the classes, or F1 of boxes."""
    if head.kind != SEGMENTATION:
        return f1([one.box for one in head.regions(chances)], seen.boxes)
    drawn, known = head.mask(chances), seen.labels != UNKNOWN
    numbers = range(1, len(head.classes) + 1)
    there = [one for one in numbers if (seen.labels == one).any() or (drawn == one).any()]
    return float(np.mean([dice((drawn == one) & known, seen.labels == one) for one in there] or [1.0]))


def _forest(pixels: Sequence[Pixels], classes: int, seed: int) -> Forest:
    features, labels = (np.concatenate(part) for part in zip(*pixels, strict=True))
    return grown(features, labels, classes=classes, seed=seed)


def _sampled(seen: Seen, channels: int, classes: int, images: int, random: np.random.Generator) -> Pixels:
    """Draw the same number of pixels of each class: (pixel, feature), (pixel,)."""
    features = filters.bank(filters.in_channels(seen.image, channels))
    flat, labels = features.reshape(-1, features.shape[-1]), seen.labels.ravel()
    most = max(LEAST_PIXELS, PIXELS // (images * classes))
    places = [np.flatnonzero(labels == number) for number in range(classes)]
    chosen = np.concatenate([random.permutation(own)[:most] for own in places])
    return flat[chosen], labels[chosen].astype(np.intp)


def _smallest(kind: str, seen: Sequence[Seen]) -> float:
    """Choose half of the smallest usual part: pixels of a mask's or of a region's core."""
    if kind == SEGMENTATION:
        sizes = [float(size) for one in seen for size in _part_sizes(one.labels)]
    else:
        share = CORE**2 * np.pi / 4 if kind in {"box", "ellipse"} else 0.5
        sizes = [box.area * share for one in seen for box in one.boxes]
    return float(max(4.0, np.quantile(sizes, 0.1) / 2)) if sizes else 4.0


def _part_sizes(labels: Labels) -> list[int]:
    parts, _ = ndimage.label((labels > 0) & (labels != UNKNOWN))
    return list(np.bincount(parts.ravel())[1:].tolist())
