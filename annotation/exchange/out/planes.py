"""Frames as 8-bit PNG pictures: 8-bit grey and RGB unchanged, all else through its window. Pure."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.exchange.out.rules import LeftOutError
from annotation.studies.frames import UnreadablePixelsError, modality_values, stored_values
from annotation.studies.pictures import Picture

PERCENTILES = (1.0, 99.0)
Plane = NDArray[np.uint8]


def plane_of(picture: Picture) -> Plane:
    """Draw a frame: (row, column) or (row, column, 3).

    raises: LeftOutError where its pixels cannot be read so.
    """
    try:
        return _drawn(picture)
    except UnreadablePixelsError as error:
        raise LeftOutError(f"its pixels cannot be read: {error}") from None


def _drawn(picture: Picture) -> Plane:
    one = picture.attributes
    photometric = str(one.get("PhotometricInterpretation", ""))
    is_plain = photometric in ("MONOCHROME2", "RGB") and int(one.get("BitsStored", 0)) == 8
    if is_plain and (photometric == "RGB" or not _is_windowed(one)):
        return stored_values(picture.content, one).astype(np.uint8)
    if photometric == "RGB":
        full = 2 ** int(one["BitsStored"]) - 1
        return np.asarray(np.rint(stored_values(picture.content, one) * (255.0 / full)), dtype=np.uint8)
    if not photometric.startswith("MONOCHROME"):
        raise LeftOutError(f"(0028,0004) Photometric Interpretation is {photometric}: no way to show it")
    shown = _windowed(modality_values(picture.content, one), one)
    return np.asarray(255 - shown if photometric == "MONOCHROME1" else shown, dtype=np.uint8)


def _is_windowed(one: dict[str, Any]) -> bool:
    return "WindowWidth" in one or "ModalityLUTSequence" in one or one.get("RescaleSlope", 1) != 1


def _windowed(values: NDArray[np.float64], one: dict[str, Any]) -> Plane:
    """VOI window, linear (PS3.3 C.11.2.1.2), or between two percentiles where there is none."""
    centre, width = _first(one.get("WindowCenter")), _first(one.get("WindowWidth"))
    if centre is None or width is None or width < 1:
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    else:
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0) * 255.0
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def _first(value: object) -> float | None:
    found = value[0] if isinstance(value, list) and value else value
    return float(found) if isinstance(found, int | float) else None


def as_png(plane: Plane) -> bytes:
    """Write a picture, read back and compared.

    raises: ValueError where it was read back otherwise.
    """
    stream = io.BytesIO()
    Image.fromarray(plane).save(stream, "PNG", compress_level=6)
    with Image.open(io.BytesIO(stream.getvalue())) as again:
        if not np.array_equal(np.asarray(again), plane):
            raise ValueError("a picture was read back otherwise from PNG")
    return stream.getvalue()
