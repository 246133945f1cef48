"""Ranking a million stored vectors by power-margin, as a refit job does: seconds and resident memory.

python -m benchmarks.rank_million [--cases 1000000] [--features 512] [--classes 3] [--folder FOLDER] --json

The vectors lie in an embedding store on disk, written first (1 GB, not counted). A process of its own has a
model of eleven heads, finds each case's row by its digest, reads the vectors and orders the whole pool: that
is in `seconds`. peak_gb is the kernel's ru_maxrss of that process, from its start: pages of mapped files
count while they are in memory.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mlworker import loop
from mlworker.embeddings import EmbeddingStore
from mlworker.heads.ensemble import Recipe
from mlworker.targets import SINGLE, Target

LABELS = 300
DIGEST = "a" * 64
AT_A_TIME = 50_000


def digests(count: int) -> list[str]:
    """Name each case."""
    return [hashlib.sha256(number.to_bytes(8, "little")).hexdigest() for number in range(count)]


def write(folder: Path, cases: int, features: int, classes: int) -> None:
    """Fill a store with vectors whose classes overlap."""
    store, random = EmbeddingStore(folder, DIGEST, features), np.random.default_rng(0)
    names, centres = digests(cases), 0.5 * random.normal(size=(classes, features))
    for start in range(0, cases, AT_A_TIME):
        part = names[start : start + AT_A_TIME]
        truth = np.arange(start, start + len(part)) % classes
        noise = random.normal(size=(len(part), features)).astype(np.float32)
        store.append(part, (noise + centres[truth]).astype(np.float16))


def measured(folder: Path, cases: int, features: int, classes: int) -> dict[str, float]:
    """Rank the pool once."""
    names = digests(cases)
    known, unread = names[:LABELS], names[LABELS:]
    store = EmbeddingStore(folder, DIGEST, features)
    labels = np.arange(LABELS) % classes
    pool = loop.Labelled(cases_of(store, known, 0), labels, np.arange(LABELS))
    nobody = loop.Cases(np.empty(0, dtype=np.uint64), np.empty((0, features), dtype=np.float16))
    nothing = loop.Labelled(nobody, np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))
    model = loop.modelled(
        pool,
        nothing,
        recipe=Recipe(Target(SINGLE, tuple(str(number) for number in range(classes)))),
        scaling=loop.scaling_of(pool.cases),
        seed=0,
    )
    drive = loop.Drive("power_margin", power=30.0, audit_share=0.0, batch=10, seed=0)
    started = time.perf_counter()
    places = loop.ordered(cases_of(store, unread, LABELS), nobody, pool.cases, model=model, drive=drive)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"seconds": round(seconds, 2), "peak_gb": round(peak, 3), "places": len(places)}


def cases_of(store: EmbeddingStore, names: list[str], first: int) -> loop.Cases:
    """Find the vectors of some cases."""
    keys = np.arange(first, first + len(names), dtype=np.uint64)
    return loop.Cases(keys, store.vectors(store.rows(names)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the store is kept; a temporary one if not given")
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print nothing else")
    given = parser.parse_args()
    size = given.cases, given.features, given.classes
    if given.inner:
        print(json.dumps(measured(given.folder, *size)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        write(Path(folder), *size)
        command = [sys.executable, "-m", "benchmarks.rank_million", "--inner", "--folder", folder]
        numbers = [
            f"--{name}={value}" for name, value in zip(("cases", "features", "classes"), size, strict=True)
        ]
        done = subprocess.run([*command, *numbers], check=True, capture_output=True, text=True)
    facts = {"file_backed_pages_counted": True, "cpus": len(os.sched_getaffinity(0))}
    print(
        json.dumps(
            json.loads(done.stdout) | dict(zip(("cases", "features", "classes"), size, strict=True)) | facts
        )
    )


if __name__ == "__main__":
    main()
