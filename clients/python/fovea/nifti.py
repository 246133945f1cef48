"""NIfTI-1 files as Fovea writes them: one volume, little endian, with an sform."""

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fovea.errors import FoveaError

HEADER_BYTES = 348
TYPES = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 256: "i1", 512: "<u2", 768: "<u4"}


def read_nifti(content: bytes) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Read a volume: values (x, y, z), and the affine to mm in the patient (RAS).

    raises: FoveaError where it is no such file.
    """
    raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    if len(raw) < HEADER_BYTES or int.from_bytes(raw[:4], "little") != HEADER_BYTES:
        raise FoveaError("this is no little-endian NIfTI-1 file")
    dimensions = np.frombuffer(raw, "<i2", 8, 40)
    shape = tuple(int(one) for one in dimensions[1 : 1 + dimensions[0]])
    code = int(np.frombuffer(raw, "<i2", 1, 70)[0])
    if code not in TYPES:
        raise FoveaError(f"NIfTI data type {code} is not known: write the file with integers or floats")
    offset = int(np.frombuffer(raw, "<f4", 1, 108)[0])
    slope, intercept = (float(one) for one in np.frombuffer(raw, "<f4", 2, 112))
    values = np.frombuffer(raw, TYPES[code], int(np.prod(shape)), offset).reshape(shape, order="F")
    if slope not in (0.0, 1.0) or (slope and intercept):
        values = values * slope + intercept
    affine = np.eye(4)
    affine[:3] = np.frombuffer(raw, "<f4", 12, 280).reshape(3, 4)
    return values, affine
