"""`make bench`: every figure of docs/benchmarks.md, one measurement after the other, about half an hour.

    python -m benchmarks [NAME …] [--out FOLDER]

Real images are read from FOVEA_DATA; a measurement that needs a folder that is not there says so and fails.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.real import real_images

ROOT = Path(__file__).resolve().parents[1]
SETS = ("chest_xray", "brain_mri")


def measurements(images: Path, out: Path) -> dict[str, list[str]]:
    """Give each measurement's command, by name, in the order to run them."""
    commands = {
        "turnaround": ["benchmarks.turnaround"],
        "lease_sqlite": ["benchmarks.lease_next", "--database", "sqlite"],
        "lease_postgresql": ["benchmarks.lease_next", "--database", "postgresql"],
        "viewer": ["benchmarks.viewer"],
        "viewer_series": ["benchmarks.viewer_series"],
        "import": ["benchmarks.import_rate"],
        "rank_million": ["benchmarks.rank_million"],
        "badge": ["benchmarks.badge"],
        "fusion": ["benchmarks.fusion"],
        "agreement": ["benchmarks.agreement"],
        "refit": ["benchmarks.refit"],
        "find_similar": ["benchmarks.find_similar"],
        "rerank": ["benchmarks.rerank"],
    }
    for name in SETS:
        data, weights = str(images / name), out / f"pretraining_{name}"
        commands[f"pretraining_{name}"] = [
            *("benchmarks.pretraining", "--data", data),
            *("--report-test", "--out", str(weights)),
        ]
    commands["learning"] = ["benchmarks.learning"]
    return commands


def run(name: str, command: list[str]) -> bool:
    """Run one measurement to its end; returns whether it succeeded."""
    print(f"\n== {name}: python -m {' '.join(command)}", flush=True)
    started = time.monotonic()
    paths = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, check=False
    )
    print(f"== {name}: {time.monotonic() - started:.0f} s, exit {done.returncode}", flush=True)
    return done.returncode == 0


def main() -> None:
    """Run what was named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("var/benchmarks"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    known = measurements(real_images(), chosen.out.resolve())
    unknown = set(chosen.names) - set(known)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Known: {', '.join(known)}")
    failed = [name for name in chosen.names or known if not run(name, known[name])]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
