"""Fusion of a project's size: Dawid–Skene of 150,000 labels, STAPLE of two and five masks of 512 × 512 × 30.

python -m benchmarks.fusion [--repeats 5]

Labels and masks are drawn with seeds. Prints medians and all runs.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from annotation.readings.fusion.choices import Labels, dawid_skene
from annotation.readings.fusion.masks import staple_of_voxels

CASES, READERS_A_CASE, READERS, CLASSES = 50_000, 3, 50, 5
SHAPE = (30, 512, 512)


def labels_of(seed: int, cases: int = CASES) -> Labels:
    """Three readers of fifty a case, each right with a chance of their own."""
    random = np.random.default_rng(seed)
    truth = np.repeat(random.integers(CLASSES, size=cases), READERS_A_CASE)
    readers = random.integers(READERS, size=cases * READERS_A_CASE)
    skills = random.uniform(0.5, 0.95, size=READERS)
    wrong = (truth + random.integers(1, CLASSES, size=len(truth))) % CLASSES
    choices = np.where(random.random(len(truth)) < skills[readers], truth, wrong)
    return Labels(np.repeat(np.arange(cases), READERS_A_CASE), readers, choices, CLASSES)


def masks_of(seed: int, readers: int, shape: tuple[int, int, int] = SHAPE) -> list[np.ndarray]:
    """Draw an organ that fills a third of the image, as each reader would, with stray voxels."""
    random = np.random.default_rng(seed)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    found = []
    for _ in range(readers):
        middle = np.array(shape) / 2 + random.normal(scale=[0.5, 4, 4])
        size = np.array(shape) * random.uniform(0.40, 0.44)
        away = sum(((at - c) / s) ** 2 for at, c, s in zip((z, y, x), middle, size, strict=True))
        found.append(((away < 1) ^ (random.random(shape) < 0.001)).astype(np.uint8))
    return found


def seconds_of(act: Callable[[], object], repeats: int) -> list[float]:
    """Wall seconds of each repeat."""
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        act()
        found.append(round(time.perf_counter() - begun, 3))
    return found


def measure(repeats: int) -> dict[str, Any]:
    """Time all three."""
    labels = labels_of(0)
    figures: dict[str, Any] = {
        "dawid_skene": {"labels": len(labels.cases), "rounds": dawid_skene(labels).rounds}
        | told(seconds_of(lambda: dawid_skene(labels), repeats))
    }
    for readers in (2, 5):
        masks = masks_of(readers, readers)
        took = seconds_of(lambda masks=masks: staple_of_voxels(masks), repeats)  # type: ignore[misc]
        figures[f"staple of {readers}"] = {"voxels": int(np.prod(SHAPE))} | told(took)
    return figures


def told(runs: list[float]) -> dict[str, Any]:
    """Median beside the runs."""
    return {"median_seconds": median(runs), "runs": runs}


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--repeats", type=int, default=5)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(json.dumps({"machine": machine} | measure(asked.parse_args().repeats), indent=1))


if __name__ == "__main__":
    main()
