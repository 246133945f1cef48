"""Time of one search and one map over a large pool: `python -m benchmarks.find_similar --json`."""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from mlworker.projection import Principal, on_grid
from mlworker.similarity import Space, most_alike, prototype, similarities

WIDTH, EXAMPLES, HITS, REPEATS = 512, 5, 48, 5


def a_pool(cases: int) -> np.ndarray:
    """Make vectors as an encoder stores them. returns: (case, feature), float16."""
    return np.random.default_rng(0).standard_normal((cases, WIDTH), dtype=np.float32).astype(np.float16)


def search(pool: np.ndarray) -> None:
    """Do what the search job does once the vectors are read."""
    space = Space.of(pool)
    most_alike(similarities(space, pool, prototype(space, pool[:EXAMPLES], pool[:0])), HITS)


def lay_out(pool: np.ndarray) -> None:
    """Do what the map job does to place its points."""
    on_grid(Principal.of(pool, components=2, seed=0).apply(pool))


def median_seconds(work: Callable[[np.ndarray], None], pool: np.ndarray) -> float:
    """Repeat and take the median."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work(pool)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    pool = a_pool(asked.cases)
    figures = {"search_seconds": median_seconds(search, pool), "map_seconds": median_seconds(lay_out, pool)}
    if asked.json:
        print(json.dumps(figures))
    else:
        print(", ".join(f"{name} {value:.2f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
