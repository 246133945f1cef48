"""What second readings are worth where a label is most likely wrong, beside two readings of everything.

    python -m benchmarks.second_reads [--seeds 20] [--judge test] [--encoders FOLDER] [--out FILE]

Five simulated readers, each with a confusion matrix of their own, read brain MRI (real images and labels,
vectors of the encoder of benchmarks.pretraining, made once and kept). All arms read the same cases in the
same random order, and go through the code of production: readers weighed and readings fused as by `fusion:
dawid_skene`, heads fitted as the refit job fits them, doubts as mlworker.doubting has them, as many second
readings as are due. Every reading counts its seconds. The model is judged by balanced accuracy on patients
that nobody read.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlworker.replay.worlds import World

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
SET, BUDGET, SECONDS = "brain_mri", 1200, 30.0
TOLD_AT = (400, 800, 1200)
USUAL = ("single", "double", "doubted_10")
AIM = 0.6  # of the hours of double reading, for the same quality
REPLICATES = 2_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FOVEA_DATA", "../shared/data")))
    parser.add_argument("--encoders", type=Path, default=ROOT / "var" / "benchmarks" / "encoders")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks" / "second_reads")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--judge", default="test", choices=["val", "test"])
    parser.add_argument("--arms", type=lambda text: text.split(","), help="of benchmarks.second_readers.ARMS")
    return parser.parse_args()


def world_read(given: argparse.Namespace) -> "World":
    """Give the set with its vectors; the encoder is taught first where it is not there."""
    from benchmarks.learning import SETS, vectors_of
    from mlworker.replay.folders import world_of

    images, vectors = vectors_of(SETS[SET], given)
    return world_of(images, vectors, name=SET, judge=given.judge)


def kept_curves(world: "World", name: str, given: argparse.Namespace) -> np.ndarray:
    """Run an arm with the seeds that its file lacks: (seed, turn, column), see `Run.curve`."""
    from benchmarks.second_readers import ARMS, Run

    kept = given.out / f"{given.judge}_{name}.json"
    rows: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for seed in range(given.seeds):
        if str(seed) not in rows:
            rows[str(seed)] = Run(world, ARMS[name], seed).curve(BUDGET)
            kept.write_text(json.dumps(rows))
            print(f"{name}: seed {seed} of {given.seeds}", flush=True)
    return np.array([rows[str(seed)] for seed in range(given.seeds)])


def percentiles(values: np.ndarray) -> list[float]:
    """Give the 95 % interval of replicates."""
    return [round(float(one), 4) for one in np.percentile(values, [2.5, 97.5], method="nearest")]


def compared(ours: np.ndarray, double: np.ndarray, spent: np.ndarray, told_at: int) -> dict[str, Any]:
    """Hold an arm against double reading after so many readings, the same seeds of both.

    ours, double: (seed, turn), balanced accuracy. spent: (turn,), readings. Hours as a share of double
    reading's for the quality that it has then, and the difference at the aimed share of its hours; each with
    its 95 % interval by bootstrap over seeds.
    """
    from mlworker.replay.summaries import first_reach

    turn = int(np.flatnonzero(spent >= told_at)[0])
    drawn = np.random.default_rng(0).integers(len(ours), size=(REPLICATES, len(ours)))
    mine, its = ours.mean(axis=0), double.mean(axis=0)
    shares = np.array(
        [
            min(first_reach(spent, ours[one].mean(axis=0), double[one, turn].mean()), spent[-1])
            for one in drawn
        ]
    )
    apart = np.array([np.interp(AIM * told_at, spent, one) for one in ours]) - double[:, turn]
    reached = first_reach(spent, mine, its[turn])
    return {
        "hours": told_at * SECONDS / 3600,
        "quality": round(float(its[turn]), 4),
        "share_of_hours": round(reached / told_at, 4) if np.isfinite(reached) else None,
        "interval": percentiles(shares / told_at),
        "difference_at_aim": round(float(apart.mean()), 4),
        "difference_interval": percentiles(apart[drawn].mean(axis=1)),
    }


def summed_up(curves: dict[str, np.ndarray], judge: str) -> dict[str, Any]:
    """Sum up all arms, plain values."""
    spent = curves["double"][0, :, 0]
    double = curves["double"][:, :, 1]
    arms = {
        name: {
            "quality": [
                [int(x), round(float(y), 4)] for x, y in zip(spent, runs[:, :, 1].mean(axis=0), strict=True)
            ],
            "wrong_labels": [round(float(one), 4) for one in runs[:, :, 2].mean(axis=0)],
            "against_double": [compared(runs[:, :, 1], double, spent, at) for at in TOLD_AT],
        }
        for name, runs in curves.items()
    }
    return {"set": SET, "judge": judge, "seeds": len(double), "seconds_a_reading": SECONDS, "arms": arms}


NAMES = {
    "single": "one reading each",
    "double": "two readings of everything",
    "doubted_10": "10 % second readings, doubted",
    "doubted_20": "20 % second readings, doubted",
    "doubted_20_best": "20 % second readings, doubted, by the best reader",
    "single_truth": "one reading each, every label right",
    "chance_10": "10 % second readings, at random",
    "double_soft": "two readings of everything, soft labels",
    "doubted_10_soft": "10 % second readings, doubted, soft labels",
    "single_model": "one reading each, model's vote",
    "double_model": "two readings of everything, model's vote",
    "doubted_10_model": "10 % second readings, doubted, model's vote",
    "doubted_20_model": "20 % second readings, doubted, model's vote",
}


TABLES = (
    "Balanced accuracy on {judge} after so many expert hours, mean of {seeds} seeds (wrong among the labels)",
    "Share of the hours of two readings of everything that the same quality takes; difference at {aim:.0%}",
)


def markdown(found: dict[str, Any]) -> str:
    """Write the figures as tables."""
    arms = found["arms"]
    titles = [title.format(judge=found["judge"], seeds=found["seeds"], aim=AIM) for title in TABLES]
    hours = [row["hours"] for row in arms["double"]["against_double"]]
    head = ["| design | " + " | ".join(f"{one:.1f} h" for one in hours) + " |", "|---|" + "---|" * len(hours)]
    told = {name: " | ".join(qualities(arm)) for name, arm in arms.items()}
    held = {
        name: " | ".join(map(cell, arm["against_double"])) for name, arm in arms.items() if name != "double"
    }
    tables = [[title, "", *head, *rows(one), ""] for title, one in zip(titles, (told, held), strict=True)]
    return "\n".join(line for table in tables for line in table)


def rows(cells: dict[str, str]) -> list[str]:
    """Write a row a design."""
    return [f"| {NAMES[name]} | {one} |" for name, one in cells.items()]


def qualities(arm: dict[str, Any]) -> list[str]:
    """Tell a design's quality, and its share of wrong labels, at each of the readings told at."""
    curve = zip(arm["quality"], arm["wrong_labels"], strict=True)
    by_readings = {spent: f"{value:.3f} ({wrong:.0%})" for (spent, value), wrong in curve}
    return [by_readings[at] for at in TOLD_AT]


def cell(row: dict[str, Any]) -> str:
    """Tell one comparison."""
    low, high = row["interval"]
    first, last = row["difference_interval"]
    share = "not reached" if row["share_of_hours"] is None else f"{row['share_of_hours']:.0%}"
    return (
        f"**{share}** [{low:.0%}, {high:.0%}]<br>{row['difference_at_aim']:+.3f} [{first:+.3f}, {last:+.3f}]"
    )


def main() -> None:
    """Measure, keep and print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    import django
    from threadpoolctl import threadpool_limits

    django.setup()
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    world = world_read(given)
    with threadpool_limits(limits=1):
        curves = {name: kept_curves(world, name, given) for name in given.arms or USUAL}
    found = summed_up(curves, given.judge)
    (given.out / f"{given.judge}.json").write_text(json.dumps(found, indent=1))
    print(markdown(found))


if __name__ == "__main__":
    main()
