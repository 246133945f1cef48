"""Images from formulas, with their classes: of nobody, under no licence, for pretraining without any data."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mlworker.encoders.training import Source

Floats = NDArray[np.float64]
POINTS: Final = 6_000
BRIGHTEST: Final = 97.0
FILLED: Final = 0.03


def generated(kind: str, *, classes: int, each: int, size: int, seed: int) -> Source:
    """Make so many classes of images of one kind, (image, 1, size, size) uint8, with their class numbers."""
    made = KINDS[kind]
    images = [
        made(np.random.default_rng((seed, number)), np.random.default_rng((seed, number, one)), size)
        for number in range(classes)
        for one in range(each)
    ]
    pixels = torch.from_numpy((np.stack(images)[:, None] * 255.0 + 0.5).astype(np.uint8))
    return Source(pixels, torch.arange(classes).repeat_interleave(each))


def fractal(kind: np.random.Generator, one: np.random.Generator, size: int) -> Floats:
    """Draw the attractor of an iterated function system (FractalDB, Kataoka 2020): a class is a system.

    kind: draws the class. one: draws the image within it. returns: (size, size), 0…1.
    """
    maps, shares = _system(kind, size)
    maps = maps * one.uniform(0.9, 1.1, size=maps.shape)
    points = np.zeros((POINTS // 20, 2))
    visited = []
    for step in range(26):
        chosen = maps[one.choice(len(maps), len(points), p=shares)]
        points = np.einsum("pij,pj->pi", chosen[:, :, :2], points) + chosen[:, :, 2]
        points = np.clip(points, -1e6, 1e6)
        if step > 5:
            visited.append(points)
    return _drawn(np.concatenate(visited), size)


def _system(kind: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    """Draw affine maps until their attractor fills some of the picture."""
    for _ in range(50):
        maps = kind.uniform(-1.0, 1.0, size=(int(kind.integers(2, 8)), 2, 3))
        norms = np.linalg.norm(maps[:, :, :2], ord=2, axis=(1, 2))
        maps[:, :, :2] *= (kind.uniform(0.4, 0.9, len(maps)) / np.maximum(norms, 1e-6))[:, None, None]
        shares = np.abs(np.linalg.det(maps[:, :, :2])) + 0.02
        points, visited = np.zeros((200, 2)), []
        for step in range(20):
            chosen = maps[kind.choice(len(maps), len(points), p=shares / shares.sum())]
            points = np.einsum("pij,pj->pi", chosen[:, :, :2], points) + chosen[:, :, 2]
            visited += [points] if step > 5 else []
        if (_drawn(np.concatenate(visited), size) > 0).mean() > FILLED:
            break
    return maps, shares / shares.sum()


def _drawn(points: Floats, size: int) -> Floats:
    """Count points in a grid that holds nearly all of them: (size, size), 0…1."""
    low, high = np.percentile(points, [1, 99], axis=0)
    place = (points - low) / np.maximum(high - low, 1e-9) * (size - 1)
    inside = ((place >= 0) & (place <= size - 1)).all(axis=1)
    flat = place[inside].astype(int) @ np.array([size, 1])
    counts = np.bincount(flat, minlength=size * size).reshape(size, size).astype(float)
    scale = np.percentile(counts[counts > 0], BRIGHTEST) if counts.any() else 1.0
    return np.asarray(np.clip(counts / scale, 0.0, 1.0))


def contours(kind: np.random.Generator, one: np.random.Generator, size: int) -> Floats:
    """Draw nested radial contours (RCDB, Kataoka 2022): a class is their number, corners and roughness."""
    corners, lines = int(kind.integers(3, 40)), int(kind.integers(2, 14))
    roughness, step, stretch = kind.uniform(0.0, 0.35), kind.uniform(0.03, 0.09), kind.uniform(0.6, 1.0)
    fine = np.linspace(0.0, 2 * np.pi, 600, endpoint=False)
    knots = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    shift, turn = one.uniform(-0.12, 0.12, 2), one.uniform(0.0, 2 * np.pi)
    picture = np.zeros((size, size))
    for line in range(lines):
        radius = 0.1 + step * line + roughness * 0.3 * one.normal(size=corners) * (0.1 + step * line)
        around = np.interp(fine, knots, radius, period=2 * np.pi)
        x = 0.5 + shift[0] + around * np.cos(fine + turn)
        y = 0.5 + shift[1] + around * np.sin(fine + turn) * stretch
        place = np.stack([y, x]) * size
        inside = ((place >= 0) & (place < size)).all(axis=0)
        picture[tuple(place[:, inside].astype(int))] = one.uniform(0.5, 1.0)
    return picture


def phantom(kind: np.random.Generator, one: np.random.Generator, size: int) -> Floats:
    """Draw a body of ellipses with lesions and noise: a class is its anatomy, its lesions and its texture.

    Greys, organs, lesion size and number belong to the class; place, turn, exposure and noise to the image.
    """
    y, x = np.mgrid[:size, :size] / size - 0.5
    turn, body = one.uniform(-0.25, 0.25), kind.uniform(0.3, 0.45, 2)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    picture = kind.uniform(0.3, 0.6) * _soft(along, across, 0.0, 0.0, *body)
    for _ in range(int(kind.integers(2, 7))):
        centre, radii = kind.uniform(-0.22, 0.22, 2) + one.normal(0, 0.015, 2), kind.uniform(0.04, 0.18, 2)
        picture += kind.uniform(-0.45, 0.45) * _soft(along, across, *centre, *radii)
    grain, contrast = kind.uniform(0.0, 0.12), kind.uniform(-0.4, 0.4)
    for _ in range(int(kind.integers(0, 5))):
        centre, radius = one.uniform(-0.25, 0.25, 2), kind.uniform(0.015, 0.06)
        picture += contrast * _soft(along, across, *centre, radius, radius * kind.uniform(0.6, 1.4))
    texture = _smooth(one.normal(size=(size, size)), int(kind.integers(1, 6)), size)
    lit = picture + grain * texture * (picture > 0.05) + one.normal(0, 0.02, picture.shape)
    return np.asarray(np.clip(lit * one.uniform(0.8, 1.2) + one.uniform(-0.05, 0.05), 0.0, 1.0))


def _soft(along: Floats, across: Floats, *ellipse: float) -> Floats:
    """One inside an ellipse (centre, radii), falling to nothing over a pixel or two."""
    x, y, wide, high = ellipse
    distance = np.sqrt(((along - x) / wide) ** 2 + ((across - y) / high) ** 2)
    return np.asarray(np.clip((1.0 - distance) * min(wide, high) * 60.0 + 0.5, 0.0, 1.0))


def _smooth(noise: Floats, grain: int, size: int) -> Floats:
    """Noise of a grain size in pixels, deviation 1."""
    cells = max(size // grain, 2)
    coarse = Image.fromarray(noise[:cells, :cells].astype(np.float32))
    wide = np.asarray(coarse.resize((size, size), Image.Resampling.BILINEAR), dtype=float)
    return np.asarray((wide - wide.mean()) / max(float(wide.std()), 1e-6))


KINDS: Final[dict[str, Callable[[np.random.Generator, np.random.Generator, int], Floats]]] = {
    "fractals": fractal,
    "contours": contours,
    "phantoms": phantom,
}
