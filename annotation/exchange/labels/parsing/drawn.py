"""Masks as statements carry them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.projects.masks import runs_of


def mask_value(pixels: NDArray[np.bool_]) -> dict[str, Any]:
    """Write the pixels of one image: (row, column)."""
    rows, columns = pixels.shape
    return {"mask": {"rows": rows, "columns": columns, "runs": runs_of(pixels)}}
