"""Pixels normalised once: uncompressed, little endian, colour by pixel, RGB instead of palette and YBR.

What carries meaning stays: signed, 12 and 16 bit, MONOCHROME1, 32-bit integers (dose), float and double
(parametric maps). One-bit segmentations become bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut

from annotation.studies.door.image import Claim

Pixels = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Layout:
    """How the normalised frames are to be read (PS3.3 C.7.6.3)."""

    keyword: str
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8


@dataclass(frozen=True)
class Frame:
    """One decoded frame: (row, column) or (row, column, 3), little endian."""

    pixels: Pixels
    layout: Layout


def frames(parsed: Dataset, claim: Claim) -> Iterator[Frame]:
    """Decode one frame after another, so that memory holds one at a time."""
    decoder = get_decoder(claim.syntax)
    plugin = "pylibjpeg" if claim.syntax.is_encapsulated and _by_pylibjpeg(claim) else ""
    decoded = decoder.iter_array(parsed, raw=False, decoding_plugin=plugin)
    for number, (pixels, properties) in enumerate(decoded):
        if number == claim.frames:
            return  # excess frames: NumberOfFrames is the truth
        yield _normalised(pixels, properties, parsed, claim.keyword)


def _by_pylibjpeg(claim: Claim) -> bool:
    """JPEG-LS is pyjpegls's; the rest pylibjpeg's (RLE there is ten times as fast as pydicom's own)."""
    return str(claim.syntax) not in ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")


def _normalised(pixels: Pixels, properties: dict[str, Any], parsed: Dataset, keyword: str) -> Frame:
    photometric = str(properties["photometric_interpretation"])
    stored = int(properties.get("bits_stored", pixels.itemsize * 8))
    if photometric == "PALETTE COLOR":
        pixels, photometric, stored = _through_palette(pixels, parsed), "RGB", 8
    if int(properties["bits_allocated"]) == 1:
        stored = 8
    layout = Layout(
        keyword=keyword,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples=1 if pixels.ndim == 2 else pixels.shape[2],
        photometric=photometric,
        bits_allocated=pixels.itemsize * 8,
        bits_stored=stored,
        signed=pixels.dtype.kind == "i",
    )
    return Frame(np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")), layout)


def _through_palette(pixels: Pixels, parsed: Dataset) -> Pixels:
    """Palette colour as 8-bit RGB; of 16-bit entries the high byte counts (PS3.3 C.7.9.2)."""
    colours = apply_color_lut(pixels, parsed)[..., :3]
    if colours.dtype.itemsize == 1 or int(colours.max()) < 256:
        return colours.astype(np.uint8)
    return (colours >> 8).astype(np.uint8)
