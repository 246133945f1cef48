"""`make bench-learning`: what the default policy is worth, beside random, peers and training from scratch.

    python -m benchmarks.learning [SET …] [--seeds 20] [--judge test] [--out FOLDER] [--report]

Each set's encoder is taught on the set's own training images without labels (benchmarks.pretraining; made
once, kept). Replays run through mlworker.replay, so through the code of production: the peers' strategies get
the same vectors, heads, start and audit stream, and choose in place of ours. What is measured is kept by set,
so a broken run goes on. --report writes docs/benchmarks.md.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.images import Images
    from mlworker.replay.study import Question
    from mlworker.replay.turns import Curve
    from mlworker.replay.worlds import World

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
OURS = ("default", "random", "margin", "entropy", "badge", "typiclust")
SCRATCH_SEEDS = 3


@dataclass(frozen=True)
class Bench:
    """One set. budget: readings. batch: readings between two rankings. scratch: readings to train on.

    rare: class that is thinned to a share of its cases, for a long tail. both: whether val judges beside
    test, on a set with few images that nothing was chosen on. most: share of the pool that is read at most.
    """

    folder: str
    budget: int
    scratch: tuple[int, ...]
    batch: int = 10
    rare: str = ""
    share: float = 1.0
    both: bool = False
    most: float = 0.5

    def judged_by(self, asked: str) -> str:
        """Name the splits that judge where a split is asked for."""
        return "val+test" if self.both and asked == "test" else asked


SETS = {
    "chest_xray": Bench("chest_xray", 300, (50, 100, 200, 400, 780)),
    "brain_mri": Bench("brain_mri", 800, (100, 200, 400, 800, 1600), batch=20),
    "brain_mri_long": Bench("brain_mri", 1600, (100, 200, 400, 800, 1600), batch=20, most=0.75),
    "pneumoniamnist": Bench("pneumoniamnist", 300, (20, 50, 100, 200, 400)),
    "pneumoniamnist_long_tail": Bench("pneumoniamnist", 300, (50, 100, 200, 400), rare="0", share=0.2),
    "nuclei": Bench("nuclei", 120, (20, 50, 100, 200), batch=5, both=True),
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FOVEA_DATA", "../shared/data")))
    parser.add_argument("--encoders", type=Path, default=ROOT / "var" / "benchmarks" / "encoders")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks" / "learning")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--judge", default="test", choices=["val", "test"])
    parser.add_argument("--strategies", type=lambda text: text.split(","), help="only these, with commas")
    parser.add_argument("--no-peers", action="store_true", help="leave scikit-activeml and baal out")
    parser.add_argument("--no-scratch", action="store_true", help="leave training from scratch out")
    parser.add_argument(
        "--report", action="store_true", help="write docs/benchmarks.md from what was measured"
    )
    given = parser.parse_args()
    unknown = sorted(set(given.sets) - set(SETS))
    if unknown:
        parser.error(f"unknown set {', '.join(unknown)}: choose of {', '.join(SETS)}")
    return given


def encoder_of(folder: str, given: argparse.Namespace) -> Path:
    """Give the set's encoder; it is taught first where it is not there."""
    made: Path = given.encoders / folder
    if not (made / "encoder.safetensors").exists():
        data = str(given.data / folder)
        command = [sys.executable, "-m", "benchmarks.pretraining", "--data", data, "--out", str(made)]
        paths = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
        subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, check=True)
    return made / "encoder.safetensors"


def vectors_of(bench: Bench, given: argparse.Namespace) -> "tuple[Images, Any]":
    """Images of a set and their vectors, encoded once; a long tail is cut here, for all alike."""
    from mlworker.replay.folders import encoded_images, long_tail, read_images, some

    encoder = encoder_of(bench.folder, given)
    images, kept = read_images(given.data / bench.folder), encoder.with_name("vectors.npy")
    if not kept.exists() or kept.stat().st_mtime < encoder.stat().st_mtime:
        np.save(kept, encoded_images(images, encoder))
    left = long_tail(images, rarest=[bench.rare], share=bench.share)
    return some(images, left), np.load(kept)[left]


def replayed(world: "World", bench: Bench, given: argparse.Namespace, peers: Sequence[str]) -> dict[str, Any]:
    """Replay ours and the peers' strategies."""
    from annotation.learning.models import Policy
    from mlworker.replay.settings import policies_of
    from mlworker.replay.study import Question, summed_up
    from mlworker.replay.turns import with_strategy
    from mlworker.replay.worlds import checked

    policies = policies_of(OURS, Policy())
    policies |= {name: with_strategy(Policy(), name) for name in peers}
    for name, policy in policies.items():
        policy.refit_every = bench.batch
        policy.class_quota = name == "default" and policy.class_quota  # a quota is part of ours, of no peer
    chosen = {name: policies[name] for name in given.strategies or policies}
    question = Question(chosen, given.seeds, min(bench.budget, int(bench.most * len(world.read.labels))))
    folder = given.out / world.name
    folder.mkdir(parents=True, exist_ok=True)
    curves = {name: kept_runs(world, question, name, folder / f"{name}.json") for name in chosen}
    return summed_up(checked(world), question, curves)


def kept_runs(world: "World", question: "Question", name: str, kept: Path) -> "dict[int, Curve]":
    """Give a strategy's runs, one a seed: those in the file, and replays of the seeds that it lacks."""
    from mlworker.replay.study import Question, runs

    rows: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    tell, seeds = telling(f"{world.name}, {name}"), range(question.seeds)
    for seed in seeds:
        if str(seed) in rows:
            continue
        tell(seed / question.seeds, f"seed {seed}")
        only = Question({name: question.policies[name]}, 1, question.budget, first_seed=seed)
        (curve,) = runs(world, only, unheard)[name].values()
        rows[str(seed)] = [column.tolist() for column in vars(curve).values()]
        kept.write_text(json.dumps(rows))
    return {seed: curve_of(rows[str(seed)]) for seed in seeds}


def unheard(_fraction: float, _message: str) -> None:
    """Hear progress within a seed, and say nothing."""


def curve_of(columns: list[list[float]]) -> "Curve":
    """Read a run back."""
    from mlworker.replay.turns import Curve

    return Curve(*(np.array(column) for column in columns))


def telling(name: str) -> Any:  # noqa: ANN401  a Told
    """Say every half minute how far it is."""
    told = [0.0]

    def tell(fraction: float, message: str) -> None:
        if time.monotonic() - told[0] > 30.0:
            told[0] = time.monotonic()
            print(f"{name}: {fraction:.0%}, {message}", flush=True)

    return tell


def kept_scratch(images: "Images", bench: Bench, judge: str, target: float, out: Path) -> dict[str, Any]:
    """Give what training from scratch reached: from the file where it is there."""
    kept = out / f"{bench.folder}{'_' * bool(bench.rare)}{bench.rare}_scratch.json"
    if not kept.exists():
        kept.write_text(json.dumps(from_scratch(images, bench, judge, target)))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def from_scratch(images: "Images", bench: Bench, judge: str, target: float) -> dict[str, Any]:
    """Train small networks on readings drawn at random: mean curve and where it reaches the target."""
    from benchmarks.scratch import curve
    from mlworker.replay.summaries import first_reach, known

    most = int((images.splits == "train").sum())
    readings = sorted({min(count, most) for count in bench.scratch})
    rows = [curve(images, judge=judge, readings=readings, seed=seed) for seed in range(SCRATCH_SEEDS)]
    scores = np.array([[value for _, value in row] for row in rows])
    x, mean = np.array(readings, dtype=float), scores.mean(axis=0)
    return {
        "seeds": SCRATCH_SEEDS,
        "curve": [[count, known(value)] for count, value in zip(readings, mean, strict=True)],
        "labels_to_target": known(first_reach(x, mean, target)),
        "most": readings[-1],
    }


def measured(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one set; what was measured before is taken from its files."""
    from benchmarks import peers
    from mlworker.replay.folders import world_of

    bench, started = SETS[name], time.monotonic()
    images, vectors = vectors_of(bench, given)
    judge = bench.judged_by(given.judge)
    world = world_of(images, vectors, name=name, judge=judge)
    asked: AbstractContextManager[list[str]] = nullcontext([]) if given.no_peers else peers.registered()
    with asked as names:
        found = replayed(world, bench, given, names)
    if not given.no_scratch:
        found["scratch"] = kept_scratch(images, bench, judge, found["target"], given.out)
    found |= {"judge": judge, "seconds": round(time.monotonic() - started)}
    (given.out / f"{name}.json").write_text(json.dumps(found, indent=1))
    return found


def main() -> None:
    """Measure, print, and write the report where asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    import django
    from threadpoolctl import threadpool_limits

    django.setup()
    from benchmarks import learning_report

    given = arguments()
    with threadpool_limits(limits=1):
        found = {name: measured(name, given) for name in given.sets or SETS}
    print(learning_report.markdown(found))
    if given.report:
        learning_report.write(found, ROOT / "docs")


if __name__ == "__main__":
    main()
