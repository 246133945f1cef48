"""Small pictures: thumbnails for lists, and previews in which a human looks for burned-in text."""

from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from annotation.studies.door.pixels import Pixels

THUMBNAIL_PIXELS = 96
PREVIEW_PIXELS = 1024
QUICK = 1  # of zlib: half the time of its default for a tenth more bytes


def write_thumbnail(stream: BinaryIO, frame: Pixels, described: Dataset) -> None:
    """Write the frame through its own window where it has one, at most 96 pixels a side, square on screen."""
    step = max(1, min(frame.shape[:2]) // (THUMBNAIL_PIXELS * 2))
    picture = Image.fromarray(_window(np.ascontiguousarray(frame[::step, ::step]), described))
    width, height = _display_size((frame.shape[1], frame.shape[0]), described)
    scale = THUMBNAIL_PIXELS / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).save(
        stream, "PNG", compress_level=QUICK
    )


def write_preview(stream: BinaryIO, first: Pixels, brightest: Pixels, darkest: Pixels, frames: int) -> None:
    """Write the first frame and, where there are more, each pixel's brightest and darkest value over all.

    Text in any frame shows in one of the two projections. The full range of values is shown: a window hides.
    """
    shown = [first] if frames == 1 else [first, brightest, darkest]
    stacked = np.concatenate([_full_range(pixels, darkest, brightest) for pixels in shown], axis=1)
    picture = Image.fromarray(stacked)
    picture.thumbnail((PREVIEW_PIXELS * len(shown), PREVIEW_PIXELS))
    picture.save(stream, "PNG")


def _full_range(pixels: Pixels, darkest: Pixels, brightest: Pixels) -> Pixels:
    if pixels.dtype == np.uint8:
        return pixels
    return _scaled(pixels, float(np.nanmin(darkest)), float(np.nanmax(brightest)))


def _scaled(pixels: Pixels, low: float, high: float) -> Pixels:
    """Values low … high as 0 … 255."""
    width = high - low if high > low else 1.0
    shown = pixels.astype(np.float32)
    shown -= low
    shown *= 255.0 / width
    np.clip(shown, 0, 255, out=shown)
    if pixels.dtype.kind == "f":
        np.nan_to_num(shown, copy=False)
    return shown.astype(np.uint8)


def _window(frame: Pixels, described: Dataset) -> Pixels:
    """PS3.3 C.11.2.1.2, linear; the range from the 1st to the 99th percentile where no window is given."""
    if frame.ndim == 3:
        return frame if frame.dtype == np.uint8 else _scaled(frame, 0.0, float(np.iinfo(frame.dtype).max))
    values = frame.astype(np.float32) * _number(described, "RescaleSlope", 1.0)
    values += _number(described, "RescaleIntercept", 0.0)
    centre, width = _number(described, "WindowCenter", 0.0), _number(described, "WindowWidth", 0.0)
    if width >= 1:
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    else:
        low, high = (float(value) for value in np.nanpercentile(values, (1, 99)))
    shown = _scaled(values, low, high)
    inverted = described.get("PhotometricInterpretation") == "MONOCHROME1"
    return 255 - shown if inverted else shown


def _number(described: Dataset, keyword: str, default: float) -> float:
    """Take the first value; the default is for looking only, never for measuring."""
    value: Any = described.get(keyword)
    if value is None:
        return default
    return float(value[0]) if hasattr(value, "__getitem__") else float(value)


def _display_size(size: tuple[int, int], described: Dataset) -> tuple[float, float]:
    """Width and height on screen: PS3.3 10.7.1.3, row spacing first, then column."""
    spacing = described.get("PixelSpacing") or described.get("ImagerPixelSpacing")
    if not spacing or len(spacing) != 2 or min(spacing) <= 0:
        return float(size[0]), float(size[1])
    return size[0] * float(spacing[1]), size[1] * float(spacing[0])
