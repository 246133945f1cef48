"""What a pixel head draws after so many drawn images: masks of nuclei and vessels, boxes of blood cells.

    OMP_NUM_THREADS=1 python -m benchmarks.pixel_heads [--set nuclei] [--labels 1,3,5] [--seeds 5] [--json]

Learned on `train`; judged on `val`, or with --split test, once, when nothing is tuned any more. blood_cells
has no split: images whose number ends in an even digit are learned from, every fifth of the others judges.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mlworker.regions.filters import Floats, resized, working_shape
from mlworker.regions.head import SEGMENTATION, PixelHead, Seen, fitted, score
from mlworker.regions.rasters import Box, Labels, box_of, drawn
from tests.real import real_images

LONGEST = 512
JUDGED_EVERY = 5
CELLS = ("RBC", "WBC", "Platelets")
SETS = ("nuclei", "fundus_vessels", "blood_cells")


@dataclass(frozen=True)
class Set:
    """Images to learn from and to judge on."""

    kind: str
    classes: tuple[str, ...]
    learned: list[Path]
    judged: list[Path]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", choices=SETS, action="append", dest="sets")
    parser.add_argument("--labels", default="1,3,5,10,20")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--most", type=int, default=1000, help="images to judge on, at most")
    parser.add_argument("--json", action="store_true", help="print nothing else")
    return parser.parse_args()


def set_of(name: str, split: str) -> Set:
    """List the images of a set by what they are for."""
    folder = real_images() / name
    with (folder / "labels.csv").open() as table:
        rows = list(csv.DictReader(table))
    if name == "blood_cells":
        paths = [folder / row["path"] for row in rows]
        even = [int(path.stem[-1]) % 2 == 0 for path in paths]
        others = [path for path, is_even in zip(paths, even, strict=True) if not is_even]
        learned = [path for path, is_even in zip(paths, even, strict=True) if is_even]
        return Set("box", CELLS, learned, others[::JUDGED_EVERY])
    by_split = {
        one: [folder / row["path"] for row in rows if row["split"] == one] for one in ("train", split)
    }
    return Set(SEGMENTATION, ("foreground",), by_split["train"], by_split[split])


def image_of(path: Path) -> tuple[Floats, tuple[int, int]]:
    """Read an image at working size, and its own size."""
    with Image.open(path) as picture:
        values = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0
    shape = (values.shape[0], values.shape[1])
    return resized(values, working_shape(shape, LONGEST)), shape


def seen(path: Path, kind: str, case: int) -> Seen:
    """Read an image with what a reader drew on it."""
    image, shape = image_of(path)
    if kind == SEGMENTATION:
        return Seen(image, mask_of(path, image.shape[:2]), case)
    down, across = image.shape[0] / shape[0], image.shape[1] / shape[1]
    boxes = [one.scaled(across, down) for one in boxes_of(path)]
    corners = [(one.label, [[one.left, one.top], [one.right, one.bottom]]) for one in boxes]
    return Seen(image, drawn("box", corners, image.shape[:2]), case, boxes)


def mask_of(path: Path, shape: tuple[int, ...]) -> Labels:
    """Read a mask: of nuclei by name, of vessels the first reader's."""
    name = path.with_suffix(".png").name
    folders = [path.parents[1] / one / name for one in ("masks", "masks_reader1")]
    with Image.open(next(one for one in folders if one.exists())) as picture:
        values = np.asarray(picture)
    foreground = (values if values.ndim == 2 else values[..., 0]) > 0
    return (resized(foreground.astype(np.float32), (shape[0], shape[1])) >= 0.5).astype(np.uint8)


def boxes_of(path: Path) -> list[Box]:
    """Read the boxes of an image; those without an area are left out."""
    with (path.parents[1] / "boxes.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["path"].endswith(path.name)]
    found = [
        box_of(
            [[float(row["xmin"]), float(row["ymin"])], [float(row["xmax"]), float(row["ymax"])]],
            CELLS.index(row["label"]) + 1,
        )
        for row in rows
    ]
    return [one for one in found if one.area > 0]


def measured(one: Set, judged: list[Seen], labels: int, seed: int) -> dict[str, float]:
    """Learn from so many images drawn by the seed, and judge."""
    chosen = np.random.default_rng(seed).choice(len(one.learned), labels, replace=False)
    images = [seen(one.learned[at], one.kind, case) for case, at in enumerate(chosen)]
    started = time.monotonic()
    head, quality = fitted(one.kind, one.classes, images, longest=LONGEST, seed=seed)
    fit_seconds, started = time.monotonic() - started, time.monotonic()
    scores = scores_of(head, judged)
    return {
        "score": float(np.mean(scores)),
        "foreseen": quality.value,
        "threshold": head.threshold,
        "fit_seconds": fit_seconds,
        "image_seconds": (time.monotonic() - started) / len(judged),
    }


def scores_of(head: PixelHead, judged: list[Seen]) -> list[float]:
    """Score each image: Dice, or F1 of boxes at an overlap of a half."""
    return [score(head, image, head.chances(image.image)) for image in judged]


def rows_of(name: str, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure one set at each number of drawn images."""
    one = set_of(name, given.split)
    judged = [seen(path, one.kind, case) for case, path in enumerate(one.judged[: given.most])]
    for labels in map(int, given.labels.split(",")):
        if labels > len(one.learned):
            continue
        runs = [measured(one, judged, labels, seed) for seed in range(given.seeds)]
        means = {key: round(float(np.mean([run[key] for run in runs])), 3) for key in runs[0]}
        spread = round(float(np.std([run["score"] for run in runs])), 3)
        yield {"set": name, "labels": labels, "judged": len(judged), "deviation": spread, **means}


def main() -> None:
    """Measure, and print a row for each set and number of drawn images."""
    given = arguments()
    found = []
    for name in given.sets or SETS:
        for row in rows_of(name, given):
            found.append(row)
            if not given.json:
                print(json.dumps(row), flush=True)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
