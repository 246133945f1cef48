"""How often the forecast "the next 100 labels will bring …" held, on the curves that a replay measured.

    python -m benchmarks.forecasts [--out FOLDER] [--json]

Each run of `benchmarks.learning` is cut off after 50, 100, 150 … readings; the forecast from what was seen is
held against what the next 100 readings brought. The judging set is the same before and after, so its own
error is left out of the outcome, and the scatter of the models is in it.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mlworker.evaluation.stopping import NEXT, forecast

ROOT = Path(__file__).resolve().parents[1]
EVERY, WIDTH = 50, 0.1  # readings between two cuts; width of an interval on the curve, as an audit stream's


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks" / "learning")
    parser.add_argument("--json", action="store_true", help="print nothing else")
    return parser.parse_args()


def held(readings: list[float], scores: list[float]) -> Iterator[dict[str, float]]:
    """Compare each forecast along one run with what came: gain, foreseen, its interval."""
    points = [
        {"labels": x, "value": y, "low": y - WIDTH / 2, "high": y + WIDTH / 2}
        for x, y in zip(readings, scores, strict=True)
    ]
    for seen in range(EVERY, int(readings[-1]) - NEXT + 1, EVERY):
        before = [point for point in points if point["labels"] <= seen]
        later = [point for point in points if point["labels"] >= seen + NEXT]
        foreseen = forecast(before) if before and later else None
        if foreseen is not None:
            gain = later[0]["value"] - before[-1]["value"]
            yield {"gain": gain, "foreseen": foreseen.gain, "low": foreseen.low, "high": foreseen.high}


def of_file(path: Path) -> dict[str, Any] | None:
    """Sum up the runs of one strategy on one set; None where no forecast was possible."""
    runs = json.loads(path.read_text()).values()
    rows = [row for run in runs for row in held(run[0], run[2])]
    if not rows:
        return None
    gain, foreseen, low, high = (
        np.array([row[key] for row in rows]) for key in ("gain", "foreseen", "low", "high")
    )
    return {
        "set": path.parent.name,
        "strategy": path.stem,
        "forecasts": len(rows),
        "held": round(float(((low <= gain) & (gain <= high)).mean()), 3),
        "mean_gain": round(float(gain.mean()), 4),
        "mean_foreseen": round(float(foreseen.mean()), 4),
        "mean_half_width": round(float((high - low).mean() / 2), 4),
    }


def main() -> None:
    """Read what was measured, and print."""
    given = arguments()
    found = [row for path in sorted(given.out.glob("*/*.json")) if (row := of_file(path))]
    if not found:
        raise SystemExit(f"{given.out} holds no runs: run python -m benchmarks.learning first")
    print(json.dumps(found, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
