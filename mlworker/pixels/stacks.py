"""Which frames of a series an encoder sees, and how they are put together. Pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Read = Callable[[int, int], Floats]  # place of a frame, channels → (channel, y, x), 0…1


def planes_of(count: int, read: Read, *, channels: int, most: int) -> Floats:
    """Evenly spaced planes of so many frames: (plane ≤ most, channel, y, x)."""
    return np.stack([read(place, channels) for place in evenly(count, most)])


def adjacent_of(count: int, read: Read, *, most: int) -> Floats:
    """Evenly spaced planes, each with its two neighbours as channels: (plane ≤ most, 3, y, x)."""
    found = dict[int, Floats]()
    triples = [
        [min(max(centre + step, 0), count - 1) for step in (-1, 0, 1)] for centre in evenly(count, most)
    ]
    for place in sorted({place for triple in triples for place in triple}):
        found[place] = read(place, 1)[0]
    return np.stack([np.stack([found[place] for place in triple]) for triple in triples])


def volume_of(count: int, read: Read, *, depth: int) -> Floats:
    """Slices drawn evenly or repeated: (1, 1, depth, y, x)."""
    places = [int((place + 0.5) * count / depth) for place in range(depth)]
    found = {place: read(place, 1)[0] for place in sorted(set(places))}
    return np.stack([found[place] for place in places])[None, None]


def evenly(count: int, most: int) -> list[int]:
    """Places of at most so many of a row, in the middle of equal stretches."""
    kept = min(count, most)
    return [int((place + 0.5) * count / kept) for place in range(kept)]
