"""Teach the encoder that Fovea brings along, and measure it on sets that it never saw.

    python -m benchmarks.shipped_encoder --teach FOLDER [--kinds …] [--classes 300] [--each 30] [--epochs 20]
    python -m benchmarks.shipped_encoder --data FOLDER FOLDER … [--weights FILE]

The first writes FOLDER/formulas.safetensors (about half an hour of one processor); copied over the one in
mlworker/encoders it is what new projects start with. The second prints the balanced accuracy on `val` of
heads on a few training labels (mean and deviation over 20 draws), beside the same network and a ResNet-18
with random weights, their normalisation set from the set's own images.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from torch import nn

from benchmarks.images import Images, random_encoder, read_images
from benchmarks.probing import Probe
from mlworker.encoders import networks, shipped, weights
from mlworker.encoders.encoding import encoded
from mlworker.encoders.formulas import KINDS
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.training import Point
from mlworker.replay.folders import pool_of

BUDGETS, SEEDS = (20, 60, 100, 200), 20


def teach(given: argparse.Namespace) -> None:
    """Teach, and write the weights in half precision."""
    given.teach.mkdir(parents=True, exist_ok=True)
    began = time.process_time()

    def told(point: Point) -> None:
        print(json.dumps(point | {"processor_seconds": round(time.process_time() - began)}), flush=True)

    network = shipped.taught(
        given.teach,
        kinds=tuple(given.kinds.split(",")),
        classes=given.classes,
        each=given.each,
        epochs=given.epochs,
        told=told,
    )
    (given.teach / shipped.FILE.name).write_bytes(weights.packed(network.half())[1])


def measure(folder: Path, file: Path) -> dict[str, dict[str, list[float]]]:
    """Score heads on the vectors of each encoder: mean and deviation by number of labels."""
    how = shipped.preprocessing()
    images = read_images(folder, how)
    plain = weights.loaded(networks.built(how), weights.read_file(file))
    encoders: dict[str, tuple[nn.Module, Preprocessing]] = {
        "formulas": (shipped.network_for(pool_of(images), how, file), how),
        "formulas, their own normalisation": (plain, how),
        "the same network, random weights": (random_encoder(images, how), how),
        "ResNet-18, random weights": (random_encoder(images, Preprocessing()), Preprocessing()),
    }
    return {name: scores(network, images, way) for name, (network, way) in encoders.items()}


def scores(network: nn.Module, images: Images, how: Preprocessing) -> dict[str, list[float]]:
    """Balanced accuracy on `val`."""
    probe = Probe.of(encoded(network, images.planes, how), images, "val")
    found = {}
    for budget in BUDGETS:
        drawn = [probe.drawn(budget, seed) for seed in range(SEEDS)]
        found[str(budget)] = [round(float(np.mean(drawn)), 3), round(float(np.std(drawn)), 3)]
    return found | {"all": [round(probe.score(probe.train, 0), 3)]}


def main() -> None:
    """Teach, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--teach", type=Path, help="where to write the weights")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of formulas, with commas")
    parser.add_argument("--classes", type=int, default=300)
    parser.add_argument("--each", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="sets to measure on")
    parser.add_argument("--weights", type=Path, default=shipped.FILE)
    given = parser.parse_args()
    if given.teach:
        teach(given)
    for folder in given.data:
        print(json.dumps({folder.name: measure(folder, given.weights)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
