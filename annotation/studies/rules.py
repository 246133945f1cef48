"""Decisions about studies: pure."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any


def content_digest(instances: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over a series' instance digests in SOP Instance UID order.

    instances: (SOP Instance UID, digest).
    """
    ordered = "\n".join(digest for _, digest in sorted(instances))
    return hashlib.sha256(ordered.encode()).hexdigest()


def reading_order(attributes: Sequence[dict[str, Any]]) -> list[int]:
    """Places of a series' instances in the order to read them: along the slices' normal, else by number.

    The normal is the first instance's; PS3.3 C.7.6.2.1.1: row direction × column direction.
    """
    places = range(len(attributes))
    by_number = sorted(places, key=lambda place: (attributes[place].get("InstanceNumber", 0), place))
    distances = distances_mm(attributes)
    if distances is None:
        return by_number
    return sorted(by_number, key=lambda place: distances[place])


def distances_mm(attributes: Sequence[dict[str, Any]]) -> list[float] | None:
    """Measure each instance's distance along the first one's normal; None where one has no position."""
    positions = [one.get("ImagePositionPatient") for one in attributes]
    orientation = attributes[0].get("ImageOrientationPatient") if attributes else None
    if (
        not orientation
        or len(orientation) != 6
        or not all(position and len(position) == 3 for position in positions)
    ):
        return None
    normal = _cross(orientation[:3], orientation[3:])
    return [sum(a * b for a, b in zip(normal, position, strict=True)) for position in positions if position]


def _cross(row: Sequence[float], column: Sequence[float]) -> tuple[float, float, float]:
    return (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
