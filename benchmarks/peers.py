"""Other programs' query strategies as strategies of a replay: same features, heads and loop, their choice."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.batches import certain
from mlworker.strategies import STRATEGIES, Chosen, Situation, typical
from mlworker.turn import Model

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ROOT / ".venv-oracles"
SERVER = ROOT / "benchmarks" / "peer_server.py"
NAMES = {"skactiveml_badge": "badge", "baal_bald": "bald"}
Halves = NDArray[np.float32]
Seen = Callable[[Situation, Model], dict[str, Halves]]


def environment() -> dict[str, str]:
    """Give the environment in which the peers' packages are found.

    raises: FileNotFoundError where they are not installed.
    """
    if not PACKAGES.is_dir():
        raise FileNotFoundError(f"{PACKAGES} is not there: `make bench-learning` installs the peers")
    return os.environ | {"PYTHONPATH": str(PACKAGES)}


class Peer:
    """A process of the peers' environment that answers which cases it would ask for."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )

    def ask(self, strategy: str, size: int, seed: int, arrays: dict[str, Halves]) -> list[int]:
        """Positions in the pool that the peer asks for."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        shapes = {name: list(array.shape) for name, array in arrays.items()}
        head = {"strategy": strategy, "size": size, "seed": seed, "arrays": shapes}
        self._process.stdin.write(json.dumps(head).encode() + b"\n")
        for array in arrays.values():
            self._process.stdin.write(np.ascontiguousarray(array, dtype=np.float32).tobytes())
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peers' process ended while it was asked for {strategy}")
        return [int(at) for at in json.loads(answer)]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def badge_seen(now: Situation, model: Model) -> dict[str, Halves]:
    """Give what BADGE looks at: scaled features and calibrated probabilities."""
    features = model.ensemble.scaling.apply(now.pool.vectors)
    return {
        "features": features,
        "probabilities": model.probabilities(now.pool.vectors)[:, 0].astype(np.float32),
    }


def bald_seen(now: Situation, model: Model) -> dict[str, Halves]:
    """Give what BALD looks at: the bootstrap heads' probabilities."""
    return {"heads": model.ensemble.head_probabilities(now.pool.vectors)[:, 1:, 0]}


SEEN: dict[str, Seen] = {"badge": badge_seen, "bald": bald_seen}


@contextmanager
def registered() -> Iterator[list[str]]:
    """Let replays know the peers' strategies by name, for the time being."""
    peer = Peer()
    for name, strategy in NAMES.items():
        STRATEGIES[name] = asking(peer, strategy)
    try:
        yield list(NAMES)
    finally:
        for name in NAMES:
            del STRATEGIES[name]
        peer.close()


def asking(peer: Peer, strategy: str) -> Callable[[Situation], Chosen]:
    """Draw what the peer asks for; before there is a model, as ours: the start is shared."""

    def draw(now: Situation) -> Chosen:
        if now.model is None:
            return typical(now)
        wanted = peer.ask(strategy, now.size, now.drive.seed % 2**31, SEEN[strategy](now, now.model))
        return Chosen(certain(np.array(wanted, dtype=np.intp)), None, [strategy] * len(wanted))

    return draw
