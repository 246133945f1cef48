"""Self-supervised training of an encoder on unlabelled images: SimCLR at a small size, resumable."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mlworker.encoders import checkpoints
from mlworker.encoders.augmentation import Strength, views
from mlworker.encoders.encoding import THREADS, prepared
from mlworker.encoders.networks import DIMENSION, Preprocessing
from mlworker.encoders.objectives import contrast, projector

Point = dict[str, float]
WARM_UP_STEPS = 20
PROJECTED = 128
LONGEST = 5.0


@dataclass(frozen=True)
class Plan:
    """How long and how. The rate falls as a cosine over epochs or minutes, whichever end is nearer.

    minutes: of THREADS cores' work, so that a busy machine takes longer instead of learning less; at most
    LONGEST times as long by the clock.
    patience: epochs without a lower loss on held-back images after which training stops.
    checkpoint_seconds: the most work that a killed process loses, an epoch at least.
    """

    epochs: int = 200
    minutes: float = 8.0
    batch: int = 128
    rate: float = 1e-3
    decay: float = 1e-4
    patience: int = 12
    seed: int = 0
    checkpoint_seconds: float = 60.0
    strength: Strength = field(default_factory=Strength)


class Pretraining:
    """One run: network, projector, optimiser, random state, history; all of it in the checkpoint.

    images, held_back: (image, channel, y, x), uint8.
    """

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, plan: Plan, path: Path) -> None:
        torch.set_num_threads(THREADS)
        torch.manual_seed(plan.seed)
        self.network, self.preprocessing, self.plan, self.path = network, preprocessing, plan, path
        self.head = projector(DIMENSION, PROJECTED)
        self.optimiser = torch.optim.AdamW(
            [*network.parameters(), *self.head.parameters()], lr=plan.rate, weight_decay=plan.decay
        )
        self.random = torch.Generator().manual_seed(plan.seed)
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.history: list[Point] = []
        self.digest = ""
        self._resume()

    def run(self, images: torch.Tensor, held_back: torch.Tensor, told: Callable[[Point], None]) -> str:
        """Train until the plan is done and say why it ended; `told` hears of each epoch."""
        saved_at = time.monotonic()
        while not (reason := self._ended()):
            started, worked = time.monotonic(), time.process_time()
            loss = self._learn(images)
            took = time.monotonic() - started
            self.seconds += max((time.process_time() - worked) / THREADS, took / LONGEST)
            self.epoch += 1
            self.history.append(self._point(loss, self._loss_of(held_back)))
            due = time.monotonic() - saved_at >= self.plan.checkpoint_seconds or bool(self._ended())
            if due:
                self.digest = checkpoints.save(self.path, self._state())
                saved_at = time.monotonic()
            told(self.history[-1])
        self.network.eval()
        return reason

    def share_done(self) -> float:
        """Progress, 0…1."""
        minutes = self.seconds / 60.0 / self.plan.minutes
        return min(1.0, max(self.epoch / self.plan.epochs, minutes))

    def _ended(self) -> str:
        if self.epoch >= self.plan.epochs:
            return f"all {self.plan.epochs} epochs"
        if self.seconds >= self.plan.minutes * 60.0:
            return f"its {self.plan.minutes:g} minutes were used"
        losses = [point["held_back_loss"] for point in self.history]
        if len(losses) > self.plan.patience and min(losses[-self.plan.patience :]) > min(losses):
            return f"no lower loss on held-back images in {self.plan.patience} epochs"
        return ""

    def _learn(self, images: torch.Tensor) -> float:
        self.network.train()
        order = torch.randperm(len(images), generator=self.random)
        batch = min(self.plan.batch, len(images))
        losses = [
            self._step(images[order[start : start + batch]])
            for start in range(0, len(images) - batch + 1, batch)
        ]
        return sum(losses) / len(losses)

    def _step(self, images: torch.Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        loss = self._loss(images, self.random)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def _loss(self, images: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        pictures = images.float() / 255.0
        both = torch.cat([views(pictures, self.plan.strength, random) for _ in range(2)])
        both = prepared(both, self.preprocessing).contiguous(memory_format=torch.channels_last)
        projected = self.head(self.network(both))
        return contrast(projected[: len(images)], projected[len(images) :])

    def _loss_of(self, held_back: torch.Tensor) -> float:
        self.network.eval()
        self.head.eval()
        with torch.no_grad():
            loss = self._loss(held_back, torch.Generator().manual_seed(self.plan.seed + 1))
        self.head.train()
        return float(loss)

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        return self.plan.rate * warm * 0.5 * (1.0 + math.cos(math.pi * self.share_done()))

    def _point(self, loss: float, held_back: float) -> Point:
        return {
            "epoch": self.epoch,
            "loss": round(loss, 4),
            "held_back_loss": round(held_back, 4),
            "seconds": round(self.seconds, 1),
        }

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "head": self.head.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": self.random.get_state(),
            "counts": {"epoch": self.epoch, "step": self.step, "seconds": self.seconds},
            "history": self.history,
        }

    def _resume(self) -> None:
        state = checkpoints.load(self.path)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.head.load_state_dict(state["head"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.random.set_state(state["random"])
        counts = state["counts"]
        self.epoch, self.step, self.seconds = counts["epoch"], counts["step"], counts["seconds"]
        self.history = state["history"]
