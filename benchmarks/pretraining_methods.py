"""Which way of pretraining buys the most labels for an hour of one processor: leave-one-set-out.

    OMP_NUM_THREADS=1 python -m benchmarks.pretraining_methods --data FOLDER --minutes 2.5 --out FILE

An encoder learns on one set's training images, without labels, or on images made by formulas; heads on its
vectors of the other sets are fitted on a few training labels and judged on `val`. Nothing looks at `test`.
Every method starts from the same random weights and has the same processor time, the making of images
included.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.images import Images, random_encoder, read_images
from benchmarks.probing import HELD_OUT_EVERY, Probe, pool_of
from mlworker.encoders import encoding
from mlworker.encoders.encoding import encoded, prepared
from mlworker.encoders.formulas import KINDS, generated
from mlworker.encoders.networks import (
    Preprocessing,
    calibrate_normalisation,
    dimension_of,
    random_network,
)
from mlworker.encoders.objectives import Classified, Objective, balance_of
from mlworker.encoders.pretraining import METHODS
from mlworker.encoders.training import Plan, Source, Training

SETS = ("chest_xray", "brain_mri")
CLASSES, EACH = 100, 20
NEVER = 1_000_000


def some(images: Images, most: int) -> Images:
    """Keep at most so many training images, drawn once, and all of `val`; nothing of `test`."""
    train = np.random.default_rng(0).permutation(np.flatnonzero(images.splits == "train"))[:most]
    kept = np.concatenate([np.sort(train), np.flatnonzero(images.splits == "val")])
    return Images(images.planes[kept], images.labels[kept], images.splits[kept], images.patients[kept])


def from_formulas(kind: str, size: int, seed: int) -> tuple[Source, Source]:
    """Make images, every tenth of them held back, with their classes."""
    made = generated(kind, classes=CLASSES, each=EACH, size=size, seed=seed)
    held = torch.arange(len(made.images)) % HELD_OUT_EVERY == 0
    assert made.labels is not None
    return (
        Source(made.images[~held], made.labels[~held]),
        Source(made.images[held], made.labels[held]),
    )


def trained(
    objective: Objective, sides: tuple[Source, Source], preprocessing: Preprocessing, plan: Plan
) -> tuple[nn.Module, dict[str, Any]]:
    """Train from random weights; normalisation is set from the images first, as a project does it."""
    network = random_network(preprocessing, seed=0)
    sample = prepared(sides[0].images[:256].float() / 255.0, preprocessing)
    calibrate_normalisation(network, sample)
    with tempfile.TemporaryDirectory() as folder:
        training = Training(network, objective, plan, Path(folder) / "checkpoint.pt")
        ended = training.run([sides[0]], [sides[1]], lambda _: None)
    return network, {"epochs": training.epoch, "seconds": training.seconds, "ended": ended}


def objective_of(name: str, preprocessing: Preprocessing, plan: Plan) -> Objective:
    """Make a method's objective."""
    torch.manual_seed(plan.seed)
    dimension = dimension_of(preprocessing)
    if name in METHODS:
        return METHODS[name](dimension, preprocessing, plan.strength)
    labels = torch.arange(CLASSES)
    return Classified(dimension, preprocessing, plan.strength, [balance_of(labels, CLASSES)])


def scores(
    vectors: NDArray[np.float32], images: Images, budgets: Sequence[int], draws: int
) -> dict[str, list[float]]:
    """Balanced accuracy on `val` of heads on so many training labels, for each draw of them."""
    probe = Probe.of(vectors, images, "val")
    return {str(budget): [probe.drawn(budget, seed) for seed in range(draws)] for budget in budgets}


def encoders(
    sets: dict[str, Images], preprocessing: Preprocessing, plan: Plan, methods: Sequence[str]
) -> Iterator[tuple[str, str, nn.Module, dict[str, Any]]]:
    """Train what is asked for: method, the set it learned on (or none), network, how it went."""
    for method in methods:
        for taught_on in sets if method in METHODS else [""]:
            started = time.process_time()
            sides = (
                pool_of(sets[taught_on])
                if taught_on
                else from_formulas(method, preprocessing.size, plan.seed)
            )
            spent = (time.process_time() - started) / 60.0 if not taught_on else 0.0
            left = Plan(**{**vars(plan), "minutes": max(plan.minutes - spent, 0.05)})
            network, facts = trained(objective_of(method, preprocessing, plan), sides, preprocessing, left)
            yield method, taught_on, network, facts | {"minutes_making_images": spent}


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--methods", nargs="+", default=[*METHODS, *KINDS])
    parser.add_argument("--minutes", type=float, default=60.0, help="of processor time a training")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the pretraining")
    parser.add_argument("--draws", type=int, default=20, help="of the labels")
    parser.add_argument("--budgets", type=int, nargs="+", default=[20, 60, 200])
    parser.add_argument("--most", type=int, default=NEVER, help="training images of a set")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Compare, and write every score."""
    given = options()
    encoding.THREADS = given.threads
    preprocessing = Preprocessing(size=given.size)
    sets = {name: some(read_images(given.data / name, preprocessing), given.most) for name in given.sets}
    rows: list[dict[str, Any]] = []

    def judge(network: nn.Module, name: str, key: dict[str, Any]) -> None:
        vectors = encoded(network, sets[name].planes, preprocessing)
        found = scores(vectors, sets[name], given.budgets, given.draws)
        rows.append(key | {"judged_on": name, "scores": found})
        print(table(rows[-1:], given.budgets).splitlines()[-1], flush=True)

    for name, images in sets.items():
        judge(random_encoder(images, preprocessing), name, {"method": "random", "seed": 0, "taught_on": ""})
    for seed in given.seeds:
        plan = Plan(
            epochs=NEVER,
            minutes=given.minutes,
            patience=NEVER,
            seed=seed,
            threads=given.threads,
            longest=float(NEVER),
        )
        for method, taught_on, network, facts in encoders(sets, preprocessing, plan, given.methods):
            key = {"method": method, "seed": seed, "taught_on": taught_on} | facts
            for name in sets:
                if name != taught_on:
                    judge(network, name, key)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"minutes": given.minutes, "threads": given.threads, "size": given.size, "rows": rows}
    given.out.write_text(json.dumps(result, indent=1))
    print(table(rows, given.budgets))


def table(rows: list[dict[str, Any]], budgets: Sequence[int]) -> str:
    """Write one line a method and set: mean balanced accuracy and its deviation over draws."""
    lines = ["| method | learned on | judged on | " + " | ".join(f"{one} labels" for one in budgets) + " |"]
    lines.append("|---" * (3 + len(budgets)) + "|")
    for row in rows:
        cells = [row["scores"][str(one)] for one in budgets]
        figures = " | ".join(f"{np.mean(cell):.3f} ± {np.std(cell):.3f}" for cell in cells)
        lines.append(f"| {row['method']} | {row['taught_on'] or '–'} | {row['judged_on']} | {figures} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
