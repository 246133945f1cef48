"""Self-supervised training of an encoder on unlabelled images: which objectives there are."""

from pathlib import Path
from typing import Final

import torch
from torch import nn

from mlworker.encoders.networks import Preprocessing, dimension_of
from mlworker.encoders.objectives import SimCLR, SimSiam, Views
from mlworker.encoders.training import Plan, Training

METHODS: Final[dict[str, type[Views]]] = {"SimCLR": SimCLR, "SimSiam": SimSiam}


def pretraining(
    network: nn.Module, preprocessing: Preprocessing, plan: Plan, path: Path, method: str = "SimCLR"
) -> Training:
    """Make a run, or take up the one whose checkpoint is at the path."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        objective = METHODS[method](dimension_of(preprocessing), preprocessing, plan.strength)
    return Training(network, objective, plan, path)
