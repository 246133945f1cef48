"""Chest-like phantoms with lesions of graded contrast and known truth: made here, of nobody.

Two lungs between ribs, a heart, a diaphragm, quantum noise; every other one has a round lesion in a lung, of
one of three grades. The same number gives the same image, on every machine.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
SIZE: Final = 160
COUNT: Final = 600
CONTRASTS: Final = {"faint": 0.10, "moderate": 0.20, "strong": 0.34}
HELD_OUT: Final = 6  # every sixth patient is for testing


@dataclass(frozen=True)
class Phantom:
    """One image, (SIZE, SIZE) in 0…1, with its truth."""

    pixels: Floats
    label: str
    grade: str


def phantom(number: int) -> Phantom:
    """Make the phantom of a number."""
    random = np.random.default_rng((20_26, number))
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    lungs = chest(random, rows, columns)
    image, grade = 0.62 - 0.38 * lungs + bones(random, rows, columns), "none"
    if number % 2:
        grade = str(random.choice(list(CONTRASTS)))
        image = image + CONTRASTS[grade] * lesion(random, lungs, rows, columns)
    noisy = image + random.normal(0.0, 0.025, image.shape)
    return Phantom(np.clip(noisy, 0.0, 1.0), "lesion" if grade != "none" else "no_lesion", grade)


def chest(random: np.random.Generator, rows: Floats, columns: Floats) -> Floats:
    """How much air is in the way, (SIZE, SIZE) in 0…1: two lungs less the heart."""
    width, height, shift = random.uniform(0.15, 0.19), random.uniform(0.30, 0.36), random.normal(0.0, 0.012)
    left = soft_disc(rows, columns, (0.47, 0.29 + shift), (height, width))
    right = soft_disc(rows, columns, (0.47, 0.71 + shift), (height, width))
    heart = soft_disc(
        rows, columns, (0.62, 0.55 + shift), (random.uniform(0.15, 0.19), random.uniform(0.13, 0.17))
    )
    air = np.maximum(left, right) * (1.0 - 0.8 * heart)
    return np.asarray(air * (rows < random.uniform(0.74, 0.80)))


def bones(random: np.random.Generator, rows: Floats, columns: Floats) -> Floats:
    """Make what ribs and spine add, (SIZE, SIZE)."""
    phase, pitch = random.uniform(0.0, 1.0), random.uniform(9.0, 11.0)
    ribs = 0.5 + 0.5 * np.sin(2 * np.pi * (pitch * (rows - 0.9 * (columns - 0.5) ** 2) + phase))
    spine = np.exp(-(((columns - 0.5) / 0.035) ** 2))
    return np.asarray(0.06 * ribs + 0.10 * spine)


def lesion(random: np.random.Generator, lungs: Floats, rows: Floats, columns: Floats) -> Floats:
    """Make a soft round opacity somewhere in a lung, (SIZE, SIZE) in 0…1."""
    inside = np.argwhere(lungs > 0.8)
    centre = inside[random.integers(len(inside))] / SIZE
    radius = random.uniform(0.035, 0.075)
    return soft_disc(rows, columns, (float(centre[0]), float(centre[1])), (radius, radius))


def soft_disc(
    rows: Floats, columns: Floats, centre: tuple[float, float], radii: tuple[float, float]
) -> Floats:
    """Make a soft-edged ellipse, (SIZE, SIZE) in 0…1; centre and radii: (row, column) in image sizes."""
    distance = np.hypot((rows - centre[0]) / radii[0], (columns - centre[1]) / radii[1])
    return np.asarray(1.0 / (1.0 + np.exp((distance - 1.0) * 14.0)))


def write_phantoms(folder: Path, *, count: int) -> Path:
    """Write phantoms as PNG files with their labels.csv; a folder that is complete already stays as it is."""
    table = folder / "labels.csv"
    if table.exists():
        return folder
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = [saved(folder, number) for number in range(count)]
    with table.with_suffix(".part").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "patient_id", "split", "grade"), *rows])
    table.with_suffix(".part").rename(table)
    return folder


def saved(folder: Path, number: int) -> tuple[str, str, str, str, str]:
    """Write one phantom and give its row of the table; two images in a row are of one made-up patient."""
    made = phantom(number)
    path, patient = f"images/{number:04d}.png", number // 2
    Image.fromarray(np.uint8(np.rint(made.pixels * 255))).save(folder / path)
    return (
        path,
        made.label,
        f"phantom-{patient:04d}",
        "test" if patient % HELD_OUT == 0 else "train",
        made.grade,
    )
