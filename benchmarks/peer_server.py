"""Other programs' own query strategies behind a pipe, with their own packages.

    PYTHONPATH=.venv-oracles python benchmarks/peer_server.py

A request is a line of JSON {strategy, size, seed, arrays: {name: [shape]}} and the arrays' float32 bytes; the
answer is a line of JSON: positions in the pool. Nothing of Fovea is imported here.
"""

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, Any]


def badge(arrays: Arrays, size: int, seed: int) -> list[int]:
    """Choose by scikit-activeml's BADGE on given features and a given classifier's probabilities."""
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge

    class Given(SkactivemlClassifier):  # type: ignore[misc]
        def __init__(self, known: Any = None, classes: Any = None, random_state: Any = None) -> None:  # noqa: ANN401
            super().__init__(classes=classes, missing_label=np.nan, random_state=random_state)
            self.known = known

        def fit(self, *_: Any, **__: Any) -> "Given":  # noqa: ANN401
            return self

        def predict_proba(self, rows: Any) -> Any:  # noqa: ANN401
            return np.stack([self.known[row.tobytes()] for row in np.asarray(rows, dtype=np.float64)])

    features = arrays["features"].astype(np.float64)
    known = {row.tobytes(): p for row, p in zip(features, arrays["probabilities"], strict=True)}
    classes = list(range(arrays["probabilities"].shape[1]))
    asked = Badge(random_state=seed).query(
        X=features,
        y=np.full(len(features), np.nan),
        clf=Given(known, classes),
        fit_clf=False,
        batch_size=min(size, len(features)),
    )
    return [int(at) for at in asked]


def bald(arrays: Arrays, size: int, _: int) -> list[int]:
    """Rank by baal's BALD heuristic on given heads' probabilities: (case, head, class)."""
    from baal.active.heuristics import BALD

    predictions = np.moveaxis(arrays["heads"], 1, 2)  # baal's layout: case, class, iteration
    return [int(at) for at in BALD()(predictions)[:size]]


STRATEGIES: dict[str, Callable[[Arrays, int, int], list[int]]] = {"badge": badge, "bald": bald}


def read(shape: list[int]) -> Any:  # noqa: ANN401
    """Take one array off the pipe."""
    count = int(np.prod(shape))
    return np.frombuffer(sys.stdin.buffer.read(4 * count), dtype=np.float32).reshape(shape)


def main() -> None:
    """Answer until the pipe closes."""
    warnings.simplefilter("ignore")
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        arrays = {name: read(shape) for name, shape in asked["arrays"].items()}
        found = STRATEGIES[asked["strategy"]](arrays, asked["size"], asked["seed"])
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
