"""Burned-in text over real images: how much of it is found, and how often text is seen where none is.

    python -m benchmarks.burned_in_text [--images 40] [--json]

Two lines of 9 to 22 pixels are burned into each of FOVEA_DATA's chest X-rays, CT slices and MR slices, which
are searched before and after by the door's own text finder, sandbox included. Some X-rays carry markers of
their own (L, R, PORTABLE): they count as false alarms here, and are none.
"""

import argparse
import io
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread

from annotation.studies.door.sandbox import in_memory
from annotation.studies.door.text import Box, TextFinder
from annotation.studies.door.verdict import Shown
from tests.real import real_images

SEED = 20261122
LINES = ("DOE^JANE", "1961-02-03", "ID 482917", "Schmidt, Anna", "12:44:07", "St. Mary Hosp", "M 57Y")
SIZES_PIXELS = (9, 10, 12, 14, 18, 22)
ENOUGH, SOME = 0.6, 0.2  # of a line's area, to call it covered, or found
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Figures:
    """Lines burned in, covered and found in part; images without burned-in text, and how many had a box."""

    lines: int = 0
    covered: int = 0
    found: int = 0
    clean: dict[str, int] = field(default_factory=dict)
    false_alarms: dict[str, int] = field(default_factory=dict)
    not_searched: int = 0
    seconds_an_image: float = 0.0


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measured(options.images)
    print(json.dumps(asdict(figures)) if options.json else figures)


def measured(number: int) -> Figures:
    """Search each image clean, then with its lines."""
    figures, began = Figures(), time.monotonic()
    draw = random.Random(SEED)
    with TextFinder() as finder:
        for kind, pixels in list(images(number)):
            clean = searched(finder, pixels, figures)
            figures.clean[kind] = figures.clean.get(kind, 0) + 1
            figures.false_alarms[kind] = figures.false_alarms.get(kind, 0) + bool(clean)
            burned, lines = with_lines(pixels, draw)
            boxes = searched(finder, burned, figures)
            shares = [share(line, boxes) for line in lines]
            figures.lines += len(lines)
            figures.covered += sum(one >= ENOUGH for one in shares)
            figures.found += sum(one >= SOME for one in shares)
    figures.seconds_an_image = (time.monotonic() - began) / (2 * sum(figures.clean.values()))
    return figures


def images(number: int) -> Iterator[tuple[str, Pixels]]:
    """Take as many images as asked for: half X-rays, a quarter CT, a quarter MR."""
    root, draw = real_images(), random.Random(SEED)
    for path in draw.sample(pictures(root / "chest_xray"), number // 2):
        yield "X-ray", np.asarray(Image.open(path).convert("L"))
    for path in draw.sample(sorted((root / "chest_ct").rglob("*.dcm")), number // 4):
        yield "CT", as_shown(path)
    for path in draw.sample(pictures(root / "brain_mri"), number // 4):
        yield "MR", np.asarray(Image.open(path).convert("L"))


def pictures(folder: Path) -> list[Path]:
    """List a folder's pictures."""
    return sorted(path for path in folder.rglob("*") if path.suffix in {".png", ".jpg", ".jpeg"})


def as_shown(path: Path) -> Pixels:
    """Show a CT slice as a preview does: its whole range."""
    values = dcmread(path).pixel_array.astype(np.float32)
    shown = (values - values.min()) * (255 / (values.max() - values.min()))
    eight_bit: Pixels = shown.astype(np.uint8)
    return eight_bit


def with_lines(pixels: Pixels, draw: random.Random) -> tuple[Pixels, list[Box]]:
    """Burn a line into the upper and one into the lower third."""
    picture, lines = Image.fromarray(pixels), []
    for low, high in ((0.0, 1 / 3), (2 / 3, 1.0)):
        text, font = draw.choice(LINES), ImageFont.load_default(draw.choice(SIZES_PIXELS))
        left, top, right, bottom = map(int, ImageDraw.Draw(picture).textbbox((0, 0), text, font))
        width, height = right - left, bottom - top
        x = draw.randrange(2, max(3, picture.width - width - 2))
        y = draw.randrange(int(picture.height * low) + 2, int(picture.height * high) - height - 2)
        ImageDraw.Draw(picture).text((x - left, y - top), text, fill=draw.choice((255, 230, 200)), font=font)
        lines.append(Box(x, y, min(x + width, picture.width), y + height))
    return np.asarray(picture), lines


def searched(finder: TextFinder, pixels: Pixels, figures: Figures) -> Sequence[Box]:
    """Search one image as the quarantine does."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with in_memory("preview") as stream:
        stream.write(buffer.getvalue())
        found = finder.boxes(stream, Shown(pixels.shape[1], pixels.shape[0], 1))
    figures.not_searched += found is None
    return found or []


def share(line: Box, boxes: Sequence[Box]) -> float:
    """Give the share of a line's area that boxes cover."""
    covered = np.zeros((line.bottom - line.top, line.right - line.left), bool)
    for box in boxes:
        covered[
            max(0, box.top - line.top) : max(0, box.bottom - line.top),
            max(0, box.left - line.left) : max(0, box.right - line.left),
        ] = True
    return float(covered.mean())


if __name__ == "__main__":
    main()
