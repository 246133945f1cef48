"""Asks libraries that others publish, each in a process that sees its packages: arrays in, arrays out."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ROOT / ".venv-oracles"
Arrays = dict[str, Any]


def asked(module: str, name: str, folder: Path, given: Arrays) -> Arrays:
    """What the peers say: `python -m MODULE NAME IN.npz OUT.npz`."""
    assert PACKAGES.exists(), f"{PACKAGES.name} is absent: `make test` installs it"
    taken, given_back = folder / "in.npz", folder / "out.npz"
    np.savez(taken, **given)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(PACKAGES)])}
    command = [sys.executable, "-m", module, name, str(taken), str(given_back)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(np.load(given_back))


def answer(asked_for: Mapping[str, Callable[[Arrays], Arrays]]) -> None:
    """Do what the process was started for."""
    _, name, taken, given_back = sys.argv
    np.savez(given_back, **asked_for[name](dict(np.load(taken))))
