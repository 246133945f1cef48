"""Bytes of a stored frame → the values that it holds, and their meaning for the modality. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Attributes = Mapping[str, Any]
Floats = NDArray[np.float64]
INTEGERS = {8: np.uint8, 16: np.uint16, 32: np.uint32}
FLOATS = {32: "<f4", 64: "<f8"}


class UnreadablePixelsError(ValueError):
    """A stored frame is not what its attributes say."""


def attributes_of_frame(attributes: Attributes, frame: int) -> dict[str, Any]:
    """Give the attributes of one frame, from 1: what stands for it alone comes before what stands for all."""
    every = dict(attributes)
    own = every.pop("PerFrame", [])
    return every | (own[frame - 1] if frame <= len(own) else {})


def stored_values(content: bytes, attributes: Attributes) -> NDArray[np.integer]:
    """Integers of a frame: (y, x), or (y, x, sample) for colour.

    raises: UnreadablePixelsError naming the tag and its value.
    """
    bits = int(attributes["BitsAllocated"])
    if bits not in INTEGERS:
        raise UnreadablePixelsError(f"(0028,0100) Bits Allocated is {bits}: 8, 16 and 32 can be read")
    rows, columns = int(attributes["Rows"]), int(attributes["Columns"])
    samples = int(attributes.get("SamplesPerPixel", 1))
    raw = np.frombuffer(content, dtype=np.dtype(INTEGERS[bits]).newbyteorder("<"))
    if raw.size < rows * columns * samples:
        raise UnreadablePixelsError(
            f"the frame holds {raw.size} values, (0028,0010) Rows × Columns need {rows * columns}"
        )
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    return _meant(raw[: rows * columns * samples].reshape(shape), attributes)


def _meant(raw: NDArray[np.unsignedinteger], attributes: Attributes) -> NDArray[np.integer]:
    """Only the stored bits, with their sign (PS3.5 8.1.1)."""
    allocated, stored = int(attributes["BitsAllocated"]), int(attributes["BitsStored"])
    low = int(attributes.get("HighBit", stored - 1)) + 1 - stored
    values = (raw.astype(np.int64) >> low) & ((1 << stored) - 1)
    if int(attributes.get("PixelRepresentation", 0)) == 1:
        values = values - ((values >> (stored - 1)) << stored)
    return values.astype(np.int64 if allocated > 16 else np.int32)


def modality_values(content: bytes, attributes: Attributes) -> Floats:
    """Values in the modality's own units: Modality LUT, or slope and intercept (PS3.3 C.11.1).

    content: a frame of one sample a pixel. returns: (y, x).
    raises:  UnreadablePixelsError.
    """
    if "BitsStored" not in attributes:  # float and double pixels have neither bits nor sign
        return _real_values(content, attributes)
    values = stored_values(content, attributes)
    tables = attributes.get("ModalityLUTSequence")
    if tables:
        return _through_table(values, tables[0], is_signed=attributes.get("PixelRepresentation", 0) == 1)
    slope = float(attributes.get("RescaleSlope", 1.0))
    return values.astype(np.float64) * slope + float(attributes.get("RescaleIntercept", 0.0))


def _real_values(content: bytes, attributes: Attributes) -> Floats:
    bits = int(attributes["BitsAllocated"])
    rows, columns = int(attributes["Rows"]), int(attributes["Columns"])
    raw = np.frombuffer(content, dtype=FLOATS[bits])
    return raw[: rows * columns].reshape(rows, columns).astype(np.float64)


def _through_table(values: NDArray[np.integer], table: Attributes, *, is_signed: bool) -> Floats:
    """Look values up; below the table its first entry counts, above it its last (PS3.3 C.11.1.1.1)."""
    _, first, _ = (int(number) for number in table["LUTDescriptor"])
    if is_signed and first >= 2**15:  # written as US, meant as SS
        first -= 2**16
    entries = np.asarray(table["LUTData"], dtype=np.float64)
    return entries[np.clip(values.astype(np.int64) - first, 0, len(entries) - 1)]
