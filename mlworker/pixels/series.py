"""A stored series → the planes that an encoder sees."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.studies import files
from annotation.studies.models import Instance
from annotation.studies.pictures import in_reading_order
from mlworker.pixels.planes import fitted, picture
from mlworker.pixels.stacks import Read, adjacent_of, planes_of, volume_of

Frame = tuple[Instance, int]


def planes(instances: Iterable[Instance], *, size: int, channels: int, most: int) -> NDArray[np.float32]:
    """Evenly spaced planes of a series, in the order of its anatomy.

    returns: (plane ≤ most, channels, size, size), 0…1.
    raises:  UnreadablePixelsError, ValueError for a series without a frame.
    """
    frames = frames_of(instances)
    return planes_of(len(frames), reading(frames, size), channels=channels, most=most)


def adjacent(instances: Iterable[Instance], *, size: int, most: int) -> NDArray[np.float32]:
    """Evenly spaced planes, each with its two neighbours as channels (2.5D); at an end the plane itself.

    returns: (plane ≤ most, 3, size, size), 0…1. raises: as `planes`.
    """
    frames = frames_of(instances)
    return adjacent_of(len(frames), reading(frames, size), most=most)


def volume(instances: Iterable[Instance], *, size: int, depth: int) -> NDArray[np.float32]:
    """Put a series' whole field of view into one box, slices drawn evenly or repeated.

    returns: (1, 1, depth, size, size), 0…1. raises: as `planes`.
    """
    frames = frames_of(instances)
    return volume_of(len(frames), reading(frames, size), depth=depth)


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


def reading(frames: Sequence[Frame], size: int) -> Read:
    """Read frames by their place, fitted into a square."""
    return lambda place, channels: _plane(*frames[place], size, channels)


def _plane(instance: Instance, frame: int, size: int, channels: int) -> NDArray[np.float32]:
    offset = instance.pixel_offset + frame * instance.frame_bytes
    content = files.read_span(files.instance_name(instance.digest), offset, instance.frame_bytes)
    return fitted(picture(content, instance.attributes).values, size=size, channels=channels)
