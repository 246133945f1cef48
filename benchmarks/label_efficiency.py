"""Labels against accuracy: strategies replayed on real images through the production loop.

    python -m benchmarks.label_efficiency --data FOLDER --encoder FILE --seeds 20 --out docs/images

One turn is `mlworker.loop`, the code that the refit job runs; only leases are left out. The encoder's file is
what benchmarks.pretraining wrote: it never saw the split that judges.
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.learning.rules import power_of, ready_to_fit
from benchmarks.images import Images, encoded_images, read_images
from mlworker import loop
from mlworker.acquisition.noise import uniforms
from mlworker.evaluation import metrics
from mlworker.evaluation.intervals import Verdict
from mlworker.heads.ensemble import learned

STRATEGIES = ("power_margin", "margin", "random")
BATCH = 10
AUDIT_SHARE = 0.125


@dataclass(frozen=True)
class World:
    """Vectors and truth: what readers would say (train) and what judges (val or test)."""

    cases: loop.Cases
    labels: NDArray[np.intp]
    patients: NDArray[np.intp]
    judged_vectors: NDArray[np.float16]
    judged_labels: NDArray[np.intp]
    classes: list[str]


def world_of(images: Images, vectors: NDArray[np.float32], judge: str) -> World:
    """Split a folder's vectors as its table says."""
    classes = sorted(set(images.labels.tolist()))
    number = np.array([classes.index(label) for label in images.labels], dtype=np.intp)
    people = np.unique(images.patients, return_inverse=True)[1]
    halves = vectors.astype(np.float16)
    train, judged = images.splits == "train", images.splits == judge
    keys = np.arange(1, int(train.sum()) + 1, dtype=np.uint64)
    return World(
        loop.Cases(keys, halves[train]), number[train], people[train], halves[judged], number[judged], classes
    )


def part(world: World, chosen: NDArray[np.intp]) -> loop.Cases:
    """Take some of the cases."""
    return loop.Cases(world.cases.keys[chosen], world.cases.vectors[chosen])


def replay(world: World, strategy: str, *, budget: int, seed: int) -> list[tuple[int, float]]:
    """Spend a budget, audit readings included: (readings, balanced accuracy) after each refit."""
    drawn = uniforms(world.patients.astype(np.uint64), seed)
    is_audit = drawn < AUDIT_SHARE
    unread, read = np.arange(len(world.labels)), np.empty(0, dtype=np.intp)
    curve, scaling = [], loop.scaling_of(world.cases)
    while len(read) < budget:
        known = read[~is_audit[read]]
        counts = Counter(world.classes[label] for label in world.labels[known])
        fitted = ready_to_fit({name: counts[name] for name in world.classes})
        drive = loop.Drive(
            strategy,
            power_of(len(known), len(world.classes)),
            AUDIT_SHARE,
            BATCH,
            seed + 1_000_003 * len(read),
        )
        model = None
        if fitted:
            ensemble = learned(
                world.cases.vectors[known],
                world.labels[known],
                scaling=scaling,
                classes=len(world.classes),
                groups=world.patients[known],
                seed=drive.seed,
            )
            model = loop.Model(ensemble, 1.0, Verdict({}))
            curve.append((len(read), score(model, world)))
        pool, audit = unread[~is_audit[unread]], unread[is_audit[unread]]
        places = loop.ordered(
            part(world, pool), part(world, audit), part(world, known), model=model, drive=drive, size=BATCH
        )
        picked = np.array([(pool if one.stream == "pool" else audit)[one.position] for one in places])
        read, unread = np.concatenate([read, picked]), np.setdiff1d(unread, picked)
    return curve


def score(model: loop.Model, world: World) -> float:
    """Balanced accuracy on the split that judges."""
    found = model.ensemble.mean_probabilities(world.judged_vectors)
    return float(metrics.balanced_accuracy(found, world.judged_labels, np.ones((1, len(found))))[0])


def full_score(world: World) -> float:
    """Score what all labels of the pool would give."""
    ensemble = learned(
        world.cases.vectors,
        world.labels,
        scaling=loop.scaling_of(world.cases),
        classes=len(world.classes),
        groups=world.patients,
        seed=0,
    )
    return score(loop.Model(ensemble, 1.0, Verdict({})), world)


def curves(world: World, *, budget: int, seeds: int) -> dict[str, dict[int, list[float]]]:
    """Values by strategy and number of readings, one a seed."""
    found: dict[str, dict[int, list[float]]] = {name: {} for name in STRATEGIES}
    for strategy in STRATEGIES:
        for seed in range(seeds):
            for readings, value in replay(world, strategy, budget=budget, seed=seed):
                found[strategy].setdefault(readings, []).append(value)
    return found


def summary(found: dict[str, dict[int, list[float]]], full: float) -> dict[str, Any]:
    """Mean and 95 % interval of the mean over seeds at each budget; readings to 95 % of the full score."""
    strategies = {}
    for name, points in found.items():
        complete = max(len(values) for values in points.values())
        rows = [
            [number, *_mean(values)] for number, values in sorted(points.items()) if len(values) == complete
        ]
        reached = next((row[0] for row in rows if row[1] >= 0.95 * full), None)
        strategies[name] = {"curve": rows, "readings_to_95_percent": reached}
    return {"full": full, "strategies": strategies}


def _mean(values: list[float]) -> tuple[float, float, float]:
    random = np.random.default_rng(0)
    means = random.choice(np.array(values), size=(1000, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(np.mean(values)), float(low), float(high)


def draw(result: dict[str, Any], title: str, path: Path) -> None:
    """Plot the curves with their intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for name, one in result["strategies"].items():
        rows = np.array(one["curve"])
        axes.plot(rows[:, 0], rows[:, 1], label=name)
        axes.fill_between(rows[:, 0], rows[:, 2], rows[:, 3], alpha=0.2)
    axes.axhline(result["full"], linestyle=":", color="grey", label="all labels")
    axes.set(xlabel="readings, audit stream included", ylabel="balanced accuracy", title=title)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Replay one folder and write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, help="safetensors of an encoder; else random weights")
    parser.add_argument("--judge", default="val", choices=["val", "test"])
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    started = time.monotonic()
    images = read_images(given.data)
    world = world_of(images, encoded_images(images, given.encoder), given.judge)
    result = summary(curves(world, budget=given.budget, seeds=given.seeds), full_score(world))
    result |= {"data": given.data.name, "judge": given.judge, "seeds": given.seeds, "batch": BATCH}
    result["seconds"] = round(time.monotonic() - started, 1)
    given.out.mkdir(parents=True, exist_ok=True)
    stem = given.out / f"label_efficiency_{given.data.name}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1))
    draw(result, f"{given.data.name}: {given.judge} split, {given.seeds} seeds", stem.with_suffix(".svg"))
    for name, one in result["strategies"].items():
        last = one["curve"][-1]
        print(
            f"{name:>14}: {last[1]:.3f} ({last[2]:.3f}–{last[3]:.3f}) at {last[0]} readings; "
            f"95 % of {result['full']:.3f} at {one['readings_to_95_percent']}"
        )


if __name__ == "__main__":
    main()
