"""Expected calibration error of the default policy's models, before and after the temperature.

    python -m benchmarks.calibration [SET …] [--seeds 5] [--judge test] [--json]

Beside it what perfectly calibrated probabilities would show on as many cases: in ten bins with a few hundred
cases that is far from zero. Encoders as in benchmarks.learning.
"""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning import ROOT, SETS, Bench, vectors_of

if TYPE_CHECKING:
    from mlworker import loop
    from mlworker.replay.worlds import World

REDRAWN = 50


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FOVEA_DATA", "../shared/data")))
    parser.add_argument("--encoders", type=Path, default=ROOT / "var" / "benchmarks" / "encoders")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--judge", default="test", choices=["val", "test"])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    return parser.parse_args()


def model_at_the_end(world: "World", bench: Bench, seed: int) -> "tuple[loop.Model, loop.Labelled]":
    """Spend the budget by the default policy; what the last model is, and what judges it."""
    from annotation.learning.models import Policy
    from mlworker.replay.turns import Reader, models_of
    from mlworker.replay.worlds import seeded

    policy = Policy()
    policy.refit_every = bench.batch
    dealt = seeded(world, seed=seed, audit_share=policy.audit_share)
    *_, model = models_of(Reader(world, dealt, policy), bench.budget)
    if model is None:
        raise SystemExit(f"{world.name}: {bench.budget} readings make no model")
    return model, dealt.judge


def errors(model: "loop.Model", judge: "loop.Labelled") -> dict[str, float]:
    """Measure the error after and before the temperature, and of labels drawn by the probabilities."""
    from mlworker.evaluation.metrics import averaged, calibration_error

    vectors, once = judge.cases.vectors, np.ones((1, len(judge.labels)))
    said, raw = model.probabilities(vectors), model.ensemble.mean_probabilities(vectors)
    error = averaged(calibration_error)
    if_perfect = [calibration_error(said[:, 0], labels, once)[0] for labels in drawn_by(said[:, 0])]
    return {
        "error": float(error(said, judge.labels, once)[0]),
        "before_temperature": float(error(raw, judge.labels, once)[0]),
        "if_perfect": float(np.mean(if_perfect)),
        "temperature": model.temperature_of_each()[0],
    }


def drawn_by(probabilities: NDArray[np.floating]) -> list[NDArray[np.intp]]:
    """Draw labels as the probabilities say, again and again."""
    random, sums = np.random.default_rng(0), probabilities.cumsum(axis=1)
    last = probabilities.shape[1] - 1
    tosses = (random.random((len(sums), 1)) for _ in range(REDRAWN))
    return [(toss > sums).sum(axis=1).clip(0, last) for toss in tosses]


def measured(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one set: means over the seeds."""
    from mlworker.replay.folders import world_of

    bench = SETS[name]
    judge = bench.judged_by(given.judge)
    world = world_of(*vectors_of(bench, given), name=name, judge=judge)
    rows = [errors(*model_at_the_end(world, bench, seed)) for seed in range(given.seeds)]
    means = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
    return {"set": name, "judge": judge, "seeds": given.seeds, **means}


def main() -> None:
    """Measure and print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    import django

    django.setup()
    given = arguments()
    found = [measured(name, given) for name in given.sets or SETS]
    print(json.dumps(found, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
