"""BADGE, factored, beside the materialised one: the same picks, the time and the memory of each.

python -m benchmarks.badge [--cases 20000] [--size 100] [--classes 3] [--features 512] [--json]
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from mlworker.acquisition.badge import badge_batch, class_errors
from mlworker.acquisition.batches import Draws


def world(cases: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Make features of length one in half precision, and the predictions of a head on them."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(cases, features)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = 20.0 * vectors @ random.normal(size=(features, classes)) / np.sqrt(features)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True), vectors.astype(np.float16)


def materialised(probabilities: np.ndarray, features: np.ndarray, size: int, seed: int) -> list[int]:
    """Choose by every gradient embedding, formed in full."""
    errors = class_errors(probabilities).astype(np.float32)
    gradients = (errors[:, :, None] * features.astype(np.float32)[:, None, :]).reshape(len(features), -1)
    random = np.random.default_rng(seed)
    lengths = np.einsum("ij,ij->i", gradients, gradients, dtype=np.float64)
    chosen, away = [int(lengths.argmax())], np.full(len(gradients), np.inf)
    for _ in range(size - 1):
        last = chosen[-1]
        away = np.minimum(away, np.maximum(lengths + lengths[last] - 2.0 * (gradients @ gradients[last]), 0))
        away[chosen] = 0.0
        mass = np.cumsum(away)
        chosen.append(int(np.searchsorted(mass, random.random() * mass[-1], side="right")))
    return chosen


def allocated_mb(work: Callable[[], object]) -> float:
    """Do the work once more and measure the most that it held at once, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="print nothing else")
    given = parser.parse_args()
    probabilities, features = world(given.cases, given.features, given.classes)
    keys = np.arange(given.cases, dtype=np.uint64)

    def ours() -> Draws:
        return badge_batch(probabilities, features, keys, size=given.size, seed=1)

    def theirs() -> list[int]:
        return materialised(probabilities, features, given.size, 1)

    started = time.perf_counter()
    draws = ours()
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    chosen = theirs()
    facts = {
        "seconds": round(seconds, 3),
        "materialised_seconds": round(time.perf_counter() - started, 3),
        "same_picks": int(np.count_nonzero(draws.order == np.array(chosen))),
        "held_mb": allocated_mb(ours),
        "materialised_held_mb": allocated_mb(theirs),
    }
    print(json.dumps(facts | vars(given)))


if __name__ == "__main__":
    main()
