"""Bytes of a stored frame → intensities from 0 to 1, as a display would show them. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.studies.frames import Attributes, UnreadablePixelsError, stored_values

Plane = NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
PERCENTILES = (1.0, 99.0)
SAMPLED = 65_536


@dataclass(frozen=True)
class Picture:
    """values: (y, x) or (y, x, 3), 0…1. spacing_mm: (y, x) between pixel centres, None where not given."""

    values: Plane
    spacing_mm: tuple[float, float] | None


def picture(content: bytes, attributes: Attributes) -> Picture:
    """Decode one uncompressed little-endian frame.

    raises: UnreadablePixelsError naming the tag and its value.
    """
    return Picture(displayed(stored_values(content, attributes), attributes), spacing(attributes))


def displayed(values: NDArray[np.integer], attributes: Attributes) -> Plane:
    """Bring stored values to 0…1, as a display would show them: (y, x), or (y, x, 3) of colour.

    raises: UnreadablePixelsError naming the tag and its value.
    """
    photometric = str(attributes.get("PhotometricInterpretation", ""))
    if photometric == "RGB":
        return values.astype(np.float32) / np.float32(2 ** int(attributes["BitsStored"]) - 1)
    if not photometric.startswith("MONOCHROME"):
        raise UnreadablePixelsError(
            f"(0028,0004) Photometric Interpretation is {photometric!r}: no way to show it"
        )
    shown = windowed(rescaled(values, attributes), attributes)
    return 1.0 - shown if photometric == "MONOCHROME1" else shown  # PS3.3 C.7.6.3.1.2: the lowest is white


def rescaled(values: NDArray[np.integer], attributes: Attributes) -> Plane:
    """Modality LUT: slope and intercept (PS3.3 C.11.1)."""
    slope = float(attributes.get("RescaleSlope", 1.0))
    intercept = float(attributes.get("RescaleIntercept", 0.0))
    return np.asarray(values * np.float32(slope) + np.float32(intercept), dtype=np.float32)


def windowed(values: Plane, attributes: Attributes) -> Plane:
    """VOI window where one is given (PS3.3 C.11.2.1.2), else between two percentiles: 0…1."""
    centre, width = _first(attributes.get("WindowCenter")), _first(attributes.get("WindowWidth"))
    if centre is None or width is None or width < 1.0:
        low, high = np.percentile(values.ravel()[:: max(1, values.size // SAMPLED)], PERCENTILES)
        return _between(values, float(low), float(high))
    function = str(attributes.get("VOILUTFunction", "LINEAR"))
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width)), dtype=np.float32)
    shift, span = (0.0, width) if function == "LINEAR_EXACT" else (0.5, max(width - 1.0, 1e-6))
    return _between(values, centre - shift - span / 2.0, centre - shift + span / 2.0)


def _between(values: Plane, low: float, high: float) -> Plane:
    return np.asarray(np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0), dtype=np.float32)


def _first(value: float | list[float] | None) -> float | None:
    """Take the first of several windows: the one shown by default."""
    if isinstance(value, list):
        return float(value[0]) if value else None
    return None if value is None else float(value)


def spacing(attributes: Attributes) -> tuple[float, float] | None:
    """(y, x) in mm at the patient; at the detector for projections without the former."""
    given = attributes.get("PixelSpacing") or attributes.get("ImagerPixelSpacing")
    return (float(given[0]), float(given[1])) if given else None


def fitted(values: Plane, *, size: int, channels: int) -> Plane:
    """Fit the whole field of view into a square, averaged over area where it shrinks.

    values: (y, x) or (y, x, 3). returns: (channels, size, size), 0…1.
    """
    grey = values.ndim == 2
    if channels == 1 and not grey:
        values, grey = values @ LUMA, True
    layers = [values] if grey else [values[..., sample] for sample in range(3)]
    small = np.stack([_resized(layer, size) for layer in layers])
    return np.broadcast_to(small, (channels, size, size)) if len(small) == 1 else small


def _resized(layer: Plane, size: int) -> Plane:
    shrinks = min(layer.shape) >= size
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    picture = Image.fromarray(np.ascontiguousarray(layer, dtype=np.float32))
    return np.asarray(picture.resize((size, size), method), dtype=np.float32)
