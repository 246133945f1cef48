"""Rendered frames: Modality LUT, VOI LUT, presentation, 8 bits (PS3.4 N.2), as PNG or JPEG.

The frames are our own: decoded by the sandboxed child and stored uncompressed, as long as their row says.
"""

import io
import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.studies.frames import modality_values, stored_values

Attributes = Mapping[str, Any]
Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]

MOST_PIXELS = 16 * 1024 * 1024
LARGEST_SIDE = 8192
AT_ONCE = threading.BoundedSemaphore(2)
NUMBER = r"[+-]?\d{1,9}(?:\.\d{1,9})?"
WINDOW = re.compile(rf"({NUMBER}),({NUMBER})(?:,(linear|linear-exact|sigmoid))?", re.IGNORECASE)


class RenderingError(ValueError):
    """A rendering is asked for that cannot be made; the message names the rule."""


@dataclass(frozen=True)
class Window:
    """Centre and width in the modality's own units; function: LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True)
class Viewport:
    """Most columns and rows of the picture; region: x, y, width, height of the part, 0 = to the end."""

    columns: int
    rows: int
    region: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Look:
    """How a frame is to be shown; nothing said: by its own window, at its own size."""

    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = 90


def read_look(parameters: Mapping[str, str]) -> Look:
    """Read the query parameters window, viewport and quality (PS3.18 8.3.5.1).

    raises: RenderingError.
    """
    window, viewport = parameters.get("window", ""), parameters.get("viewport", "")
    quality = parameters.get("quality", "90")
    if not re.fullmatch(r"\d{1,3}", quality) or not 1 <= int(quality) <= 100:
        raise RenderingError("quality is a whole number of 1 to 100")
    return Look(_window(window) if window else None, _viewport(viewport) if viewport else None, int(quality))


def _window(text: str) -> Window:
    found = WINDOW.fullmatch(text)
    if found is None:
        raise RenderingError("window is centre,width[,linear|linear-exact|sigmoid]")
    function = (found[3] or "linear").upper().replace("-", "_")
    width = float(found[2])
    if width < 1 if function == "LINEAR" else width <= 0:
        raise RenderingError("the window's width is at least 1 (linear) or above 0 (PS3.3 C.11.2.1.2)")
    return Window(float(found[1]), width, function)


def _viewport(text: str) -> Viewport:
    parts = text.split(",")
    if len(parts) not in (2, 6) or not all(re.fullmatch(r"\d{0,5}", one) for one in parts):
        raise RenderingError("viewport is columns,rows[,x,y,width,height] in whole pixels")
    columns, rows, *region = (int(one or 0) for one in parts)
    if not (0 < columns <= LARGEST_SIDE and 0 < rows <= LARGEST_SIDE):
        raise RenderingError(f"a viewport has 1 to {LARGEST_SIDE} columns and rows")
    x, y, width, height = region or (0, 0, 0, 0)
    return Viewport(columns, rows, (x, y, width, height))


def rendered(content: bytes, attributes: Attributes, look: Look, media_type: str) -> bytes:
    """Render one frame.

    content:    the frame as stored; attributes: what stands for it.
    media_type: image/png or image/jpeg.
    raises:     RenderingError, UnreadablePixelsError.
    """
    with AT_ONCE:
        shown = _shown(*_thinned(content, attributes), look.window)
        picture = Image.fromarray(shown)
        if look.viewport is not None:
            picture = _fitted(picture, look.viewport, attributes)
        stream = io.BytesIO()
        if media_type == "image/jpeg":
            picture.save(stream, "JPEG", quality=look.quality)
        else:
            picture.save(stream, "PNG")
        return stream.getvalue()


def _thinned(content: bytes, attributes: Attributes) -> tuple[bytes, dict[str, Any]]:
    """Take every n-th pixel of a frame too large to be computed at once."""
    rows, columns = int(attributes["Rows"]), int(attributes["Columns"])
    step = math.ceil(math.sqrt(rows * columns / MOST_PIXELS))
    if step <= 1:
        return content, dict(attributes)
    size = int(attributes["BitsAllocated"]) // 8
    pixels = np.frombuffer(content, np.uint8).reshape(rows, columns, -1, size)[::step, ::step]
    return pixels.tobytes(), {**attributes, "Rows": pixels.shape[0], "Columns": pixels.shape[1]}


def _shown(content: bytes, attributes: Attributes, window: Window | None) -> Bytes:
    """(y, x) or (y, x, 3), 0 black … 255 white."""
    if int(attributes.get("SamplesPerPixel", 1)) > 1:
        return _colour(content, attributes)
    values = modality_values(content, attributes)
    grey = _through_voi(values, attributes, window)
    inverted = (attributes.get("PhotometricInterpretation") == "MONOCHROME1") != (
        attributes.get("PresentationLUTShape") == "INVERSE"
    )
    levels = np.rint(np.nan_to_num(grey, nan=0.0).clip(0, 1) * 255).astype(np.uint8)
    return np.asarray(255 - levels if inverted else levels)


def _colour(content: bytes, attributes: Attributes) -> Bytes:
    values = stored_values(content, attributes)
    stored = int(attributes["BitsStored"])
    return (values >> max(0, stored - 8)).astype(np.uint8)


def _through_voi(values: Floats, attributes: Attributes, window: Window | None) -> Floats:
    """Grey 0 – 1: by the window asked for, else the image's own table or window, else its whole range."""
    tables = attributes.get("VOILUTSequence")
    if window is None and tables and "WindowCenter" not in attributes:
        return _through_table(values, tables[0])
    chosen = window or own_window(attributes)
    if chosen is None:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        return (values - low) / (high - low if high > low else 1.0)
    return windowed(values, chosen)


def own_window(attributes: Attributes) -> Window | None:
    """Read the first window of an image; None where it has none that can be used."""
    center, width = (_first(attributes.get(name)) for name in ("WindowCenter", "WindowWidth"))
    function = str(attributes.get("VOILUTFunction", "LINEAR"))
    if center is None or width is None or width < 1 or function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        return None
    return Window(center, width, function)


def _first(value: object) -> float | None:
    one = value[0] if isinstance(value, list) and value else value
    return float(one) if isinstance(one, int | float | str) and one != "" else None


def windowed(values: Floats, window: Window) -> Floats:
    """Grey by a window (PS3.3 C.11.2.1.2 and C.11.2.1.3); outside of 0 – 1 it is clipped later."""
    if window.function == "SIGMOID":
        power = np.clip(-4.0 * (values - window.center) / window.width, -700, 700)
        return np.asarray(1.0 / (1.0 + np.exp(power)))
    if window.function == "LINEAR_EXACT" or window.width <= 1.0:
        if window.function == "LINEAR":  # a step at its centre
            return np.asarray(np.where(values > window.center - 0.5, 1.0, 0.0))
        return (values - window.center) / window.width + 0.5
    return (values - (window.center - 0.5)) / (window.width - 1.0) + 0.5


def _through_table(values: Floats, table: Attributes) -> Floats:
    """Grey by a VOI LUT (PS3.3 C.11.2.1.1); below it its first entry counts, above it its last."""
    entries = np.asarray(table["LUTData"], dtype=np.float64)
    first, bits = int(table["LUTDescriptor"][1]), int(table["LUTDescriptor"][2])
    if first >= 2**15 and float(values.min()) < 0:  # written as US, meant as SS
        first -= 2**16
    places = np.clip(np.rint(np.nan_to_num(values)) - first, 0, len(entries) - 1).astype(np.intp)
    return np.asarray(entries[places] / (2**bits - 1))


def _fitted(picture: Image.Image, viewport: Viewport, attributes: Attributes) -> Image.Image:
    """Cut the region out and scale it into the viewport, its shape kept as the pixels' spacing says."""
    x, y, width, height = viewport.region
    scale = picture.width / int(attributes["Columns"])
    right, bottom = (x + width) * scale if width else picture.width, (y + height) * scale if height else None
    box = (
        round(x * scale),
        round(y * scale),
        min(picture.width, round(right)),
        min(picture.height, round(bottom)) if bottom is not None else picture.height,
    )
    if box[0] >= box[2] or box[1] >= box[3]:
        raise RenderingError("the viewport's region lies outside of the image")
    cut = picture.crop(box)
    across, down = _spacing(attributes)
    factor = min(viewport.columns / (cut.width * across), viewport.rows / (cut.height * down))
    size = (max(1, round(cut.width * across * factor)), max(1, round(cut.height * down * factor)))
    return cut.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _spacing(attributes: Attributes) -> tuple[float, float]:
    """Column and row spacing, 1 and 1 where it is unknown: for the picture's shape only."""
    spacing = attributes.get("PixelSpacing") or attributes.get("ImagerPixelSpacing") or [1, 1]
    down, across = (float(one) for one in spacing[:2]) if len(spacing) >= 2 else (1.0, 1.0)
    return (across, down) if across > 0 and down > 0 else (1.0, 1.0)
