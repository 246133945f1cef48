"""A stored series → the planes that an encoder sees."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from annotation.studies import files
from annotation.studies.models import Instance
from annotation.studies.pictures import in_reading_order
from mlworker.pixels.planes import fitted, picture

Frame = tuple[Instance, int]


def planes(instances: Iterable[Instance], *, size: int, channels: int, most: int) -> NDArray[np.float32]:
    """Evenly spaced planes of a series, in the order of its anatomy.

    returns: (plane ≤ most, channels, size, size), 0…1.
    raises:  UnreadablePixelsError, ValueError for a series without a frame.
    """
    frames = frames_of(instances)
    chosen = evenly(len(frames), most)
    return np.stack([_plane(*frames[place], size, channels) for place in chosen])


def adjacent(instances: Iterable[Instance], *, size: int, most: int) -> NDArray[np.float32]:
    """Evenly spaced planes, each with its two neighbours as channels (2.5D); at an end the plane itself.

    returns: (plane ≤ most, 3, size, size), 0…1. raises: as `planes`.
    """
    frames = frames_of(instances)
    last, read = len(frames) - 1, dict[int, NDArray[np.float32]]()
    triples = [
        [min(max(centre + step, 0), last) for step in (-1, 0, 1)] for centre in evenly(len(frames), most)
    ]
    for place in sorted({place for triple in triples for place in triple}):
        read[place] = _plane(*frames[place], size, 1)[0]
    return np.stack([np.stack([read[place] for place in triple]) for triple in triples])


def volume(instances: Iterable[Instance], *, size: int, depth: int) -> NDArray[np.float32]:
    """Put a series' whole field of view into one box, slices drawn evenly or repeated.

    returns: (1, 1, depth, size, size), 0…1. raises: as `planes`.
    """
    frames = frames_of(instances)
    places = [int((place + 0.5) * len(frames) / depth) for place in range(depth)]
    read = {place: _plane(*frames[place], size, 1)[0] for place in sorted(set(places))}
    return np.stack([read[place] for place in places])[None, None]


def frames_of(instances: Iterable[Instance]) -> list[Frame]:
    """Every frame of a series, in the order of its anatomy.

    raises: ValueError for a series without a frame.
    """
    frames = [
        (instance, frame) for instance in in_reading_order(instances) for frame in range(instance.frames)
    ]
    if not frames:
        raise ValueError("the series has no frame")
    return frames


def evenly(count: int, most: int) -> list[int]:
    """Places of at most so many of a row, in the middle of equal stretches."""
    kept = min(count, most)
    return [int((place + 0.5) * count / kept) for place in range(kept)]


def _plane(instance: Instance, frame: int, size: int, channels: int) -> NDArray[np.float32]:
    offset = instance.pixel_offset + frame * instance.frame_bytes
    content = files.read_span(files.instance_name(instance.digest), offset, instance.frame_bytes)
    return fitted(picture(content, instance.attributes).values, size=size, channels=channels)
