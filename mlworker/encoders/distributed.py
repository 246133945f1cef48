"""Fine-tuning in several processes, one a GPU, started by torch's own launcher (torchrun).

    python -m torch.distributed.run --standalone --nproc-per-node N -m mlworker.encoders.distributed FOLDER

The folder holds what `finetuning.begin` wrote and `plan.json`; the first process writes `told.jsonl`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from torch import distributed

from jobs.parent import die_with
from mlworker.encoders import finetuning
from mlworker.encoders.augmentation import Strength
from mlworker.encoders.training import Plan, Point, Training

PLAN, TOLD = "plan.json", "told.jsonl"
POLL_SECONDS: Final = 0.5


def launched(folder: Path, plan: Plan, processes: int, told: Callable[[Point, float], None]) -> None:
    """Train in so many processes; `told` hears of each epoch and of the share done.

    raises: ChildProcessError where they failed: their own words are in the worker's log.
    """
    (folder / PLAN).write_text(json.dumps(asdict(plan)))
    (folder / TOLD).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "mlworker.encoders.distributed", str(folder)]
    paths = os.pathsep.join(entry for entry in sys.path if entry)
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})  # noqa: S603  our own module
    heard = 0
    try:
        while child.poll() is None:
            time.sleep(POLL_SECONDS)
            heard = _passed_on(folder, heard, told)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    _passed_on(folder, heard, told)
    if child.returncode:
        raise ChildProcessError(f"training in {processes} processes ended with status {child.returncode}")


def _passed_on(folder: Path, heard: int, told: Callable[[Point, float], None]) -> int:
    """Tell the lines that are new and whole; return how many there are."""
    path = folder / TOLD
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    for line in whole[heard:]:
        found = json.loads(line)
        told(found["point"], found["share"])
    return len(whole)


def plan_in(folder: Path) -> Plan:
    """Read the plan."""
    row = json.loads((folder / PLAN).read_text())
    return Plan(**{**row, "strength": Strength(**row["strength"])})


def main(folder: Path) -> None:
    """Be one of the processes: gloo between processors, NCCL between GPUs."""
    die_with(os.getppid())
    on_gpu = torch.cuda.is_available()
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")

    def told(training: Training, point: Point) -> None:
        with (folder / TOLD).open("a") as lines:
            lines.write(json.dumps({"point": point, "share": training.share_done()}) + "\n")

    try:
        finetuning.run(folder, plan_in(folder), device, told)
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
