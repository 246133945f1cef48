"""Refit of the production heads: the penalty chosen, one fit on all labels, ten on bootstrap samples.

python -m benchmarks.refit [--labels 20000] [--features 512] [--classes 3] [--json]
"""

import argparse
import json
import time

import numpy as np

from mlworker.heads.ensemble import Recipe, learned_by
from mlworker.heads.features import Scaling
from mlworker.targets import ORDINAL, SINGLE, Target


def world(labels: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Make vectors whose features go together, as an encoder's do, and classes that overlap."""
    random = np.random.default_rng(0)
    truth = random.integers(0, classes, labels)
    hidden = random.normal(size=(labels, 64)) + 1.5 * np.eye(classes, 64)[truth]
    vectors = hidden @ random.normal(size=(64, features)) + random.normal(size=(labels, features))
    return vectors.astype(np.float16), truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--adjusted", action="store_true", help="logit adjustment")
    parser.add_argument("--ordered", action="store_true", help="grades")
    parser.add_argument("--json", action="store_true", help="print nothing else")
    given = parser.parse_args()
    vectors, truth = world(given.labels, given.features, given.classes)
    kind = ORDINAL if given.ordered else SINGLE
    recipe = Recipe(Target(kind, tuple(map(str, range(given.classes)))), adjusted=given.adjusted)
    started = time.perf_counter()
    scaling = Scaling.of(vectors)
    ensemble = learned_by(
        recipe, vectors, truth[:, None], scaling=scaling, groups=np.arange(len(truth)), seed=0
    )
    seconds = time.perf_counter() - started
    right = float((ensemble.mean_probabilities(vectors)[:, 0].argmax(axis=1) == truth).mean())
    facts = {"seconds": round(seconds, 3), "labels": given.labels, "features": given.features}
    print(
        json.dumps(facts | {"classes": given.classes, "heads": 11, "accuracy_on_its_labels": round(right, 4)})
    )


if __name__ == "__main__":
    main()
