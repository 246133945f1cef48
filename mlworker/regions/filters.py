"""A filter bank: what each pixel looks like at several scales, as ilastik and Labkit do it. Pure.

Arganda-Carreras 2017 (Trainable Weka Segmentation), Berg 2019 (ilastik): smoothed values, edges, blobs and
ridges, texture. Lengths are in pixels of the working image.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mlworker.pixels.planes import LUMA

Floats = NDArray[np.float32]
SCALES = (1.0, 2.0, 4.0)
SURROUNDINGS = (12.0, 24.0)
ROWS_THEN_COLUMNS = ((2, 0), (0, 2), (1, 1))


def bank(image: Floats) -> Floats:
    """Features of each pixel: (y, x) or (y, x, 3), 0…1 → (y, x, feature)."""
    grey = np.asarray(image @ LUMA if image.ndim == 3 else image, dtype=np.float32)
    colours = [image[..., channel] for channel in range(3)] if image.ndim == 3 else []
    found = [grey, *colours]
    for scale in SCALES:
        found += _at(grey, scale)
        found += [_smooth(one, scale) for one in colours]
    found += [_smooth(grey, scale) for scale in SURROUNDINGS]
    return np.stack(found, axis=-1).astype(np.float32, copy=False)


def width(channels: int) -> int:
    """How many features a pixel of an image with so many channels has."""
    each = 7 + (3 if channels == 3 else 0)
    return 1 + (3 if channels == 3 else 0) + len(SCALES) * each + len(SURROUNDINGS)


def _at(grey: Floats, scale: float) -> list[Floats]:
    """Value, edge strength, Laplacian, Hessian and structure tensor at one scale, by that scale."""
    down, across = (_smooth(grey, scale, order) * scale for order in ((1, 0), (0, 1)))
    bends = [_smooth(grey, scale, order) * scale**2 for order in ROWS_THEN_COLUMNS]
    textures = [_smooth(one, 2 * scale) for one in (down * down, across * across, down * across)]
    return [
        _smooth(grey, scale),
        np.hypot(down, across),
        bends[0] + bends[1],
        *_eigenvalues(*bends),
        *(np.sqrt(np.maximum(one, 0.0)) for one in _eigenvalues(*textures)),
    ]


def _eigenvalues(down: Floats, across: Floats, mixed: Floats) -> tuple[Floats, Floats]:
    """Of the symmetric matrix [[down, mixed], [mixed, across]] at each pixel, the larger one first."""
    middle = np.asarray((down + across) / 2, dtype=np.float32)
    half = np.asarray(np.hypot((down - across) / 2, mixed), dtype=np.float32)
    return middle + half, middle - half


def _smooth(values: Floats, scale: float, order: tuple[int, int] | int = 0) -> Floats:
    smoothed: Floats = ndimage.gaussian_filter(values, scale, order=order, truncate=3.0)
    return smoothed


def resized(values: Floats, shape: tuple[int, int], *, nearest: bool = False) -> Floats:
    """Fit (y, x) or (y, x, channel) to another size: averaged where it shrinks, bilinear where it grows."""
    if values.shape[:2] == shape:
        return values
    if values.ndim == 3:
        return np.stack([resized(values[..., at], shape) for at in range(values.shape[2])], axis=-1)
    method = Image.Resampling.BOX if shape[0] < values.shape[0] else Image.Resampling.BILINEAR
    chosen = Image.Resampling.NEAREST if nearest else method
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), chosen), dtype=np.float32)


def working_shape(shape: tuple[int, int], longest: int) -> tuple[int, int]:
    """Size at which an image is looked at: its longer side at most so many pixels."""
    factor = min(1.0, longest / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def in_channels(image: Floats, channels: int) -> Floats:
    """Bring an image to grey or to colour."""
    if channels == 1:
        return np.asarray(image @ LUMA if image.ndim == 3 else image, dtype=np.float32)
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
