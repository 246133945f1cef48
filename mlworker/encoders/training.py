"""The loop that trains an encoder: any objective, several sources, several processes; resumable."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mlworker.encoders import checkpoints
from mlworker.encoders.augmentation import Strength
from mlworker.encoders.encoding import THREADS
from mlworker.encoders.networks import NORMALISATIONS
from mlworker.encoders.objectives import Batch, Objective

Point = dict[str, float]
WARM_UP_STEPS = 20
MOST_SEEDS = 2**31


@dataclass(frozen=True)
class Plan:
    """How long and how. The rate falls as a cosine over epochs or minutes, whichever end is nearer.

    minutes: of the threads' work, so that a busy machine takes longer instead of learning less; at most
    `longest` times as long by the clock.
    patience: epochs without a lower loss on held-back images after which training stops.
    checkpoint_seconds: the most work that a killed process loses, an epoch at least.
    accumulate: parts in which a batch is worked on, where it does not fit into memory at once.
    keep_best: the weights of the epoch with the least loss on held-back images are kept, not the last ones.
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
    accumulate: int = 1
    keep_best: bool = False
    threads: int = THREADS
    longest: float = 5.0


@dataclass(frozen=True)
class Source:
    """Images to learn from: (image, channel, [z,] y, x), uint8.

    labels: (image, decision) class numbers, or none; of one decision (image,) will do. Floats say how likely
    each class is, (image, decision, class).
    """

    images: torch.Tensor
    labels: torch.Tensor | None = None

    def batch(self, chosen: torch.Tensor, number: int, step: int = 0) -> Batch:
        """Take some images, with a seed each that step and place decide."""
        labels = None if self.labels is None else self.labels[chosen]
        seeds = (chosen.long() * 1_000_003 + step * 7_919) % MOST_SEEDS
        return Batch(self.images[chosen], labels, number, seeds)


@dataclass(frozen=True)
class Ranks:
    """Place of a process among those that train together."""

    rank: int = 0
    world: int = 1

    @classmethod
    def here(cls) -> "Ranks":
        """Ask torch's process group, where one was made."""
        if not distributed.is_initialized():
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())


class Joint(nn.Module):
    """Network and objective as one module whose output is the loss: what DistributedDataParallel wraps."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Loss of a batch."""
        return self.objective.loss(self.network, batch, random)


class Training:
    """One run: network, objective, optimiser, counts, history; all of it in the checkpoint.

    Nothing random is kept: an epoch's order and a step's changes are drawn from the seed and their numbers.
    """

    def __init__(self, network: nn.Module, objective: Objective, plan: Plan, path: Path) -> None:
        torch.set_num_threads(plan.threads)
        self.network, self.objective, self.plan, self.path = network, objective, plan, path
        self.ranks = Ranks.here()
        self.device = next(network.parameters()).device
        joint = Joint(network, objective).to(self.device)
        self.trained = [parameter for parameter in joint.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=plan.rate, weight_decay=plan.decay)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.device.type == "cuda")
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.history: list[Point] = []
        self.best: dict[str, Any] = {}
        self.digest = ""
        self._resume()
        self.joint = joint if self.ranks.world == 1 else DistributedDataParallel(joint)

    def run(
        self, sources: Sequence[Source], held_back: Sequence[Source], told: Callable[[Point], None]
    ) -> str:
        """Train until the plan is done and say why it ended; on the first rank `told` hears of each epoch."""
        saved_at = time.monotonic()
        while not (reason := self.ended()):
            self._epoch(sources, held_back)
            due = time.monotonic() - saved_at >= self.plan.checkpoint_seconds or bool(self.ended())
            if due and self.ranks.rank == 0:
                self.digest = checkpoints.save(self.path, self._state())
                saved_at = time.monotonic()
            if self.ranks.rank == 0:
                told(self.history[-1])
        if self.best:
            self.network.load_state_dict(self.best["network"])
            self.objective.load_state_dict(self.best["objective"])
        self.network.eval()
        return reason

    def share_done(self) -> float:
        """Progress, 0…1."""
        minutes = self.seconds / 60.0 / self.plan.minutes
        return min(1.0, max(self.epoch / self.plan.epochs, minutes))

    def ended(self) -> str:
        """Say why training is over, or nothing."""
        if self.epoch >= self.plan.epochs:
            return f"all {self.plan.epochs} epochs"
        if self.seconds >= self.plan.minutes * 60.0:
            return f"its {self.plan.minutes:g} minutes were used"
        losses = [point["held_back_loss"] for point in self.history if "held_back_loss" in point]
        if len(losses) > self.plan.patience and min(losses[-self.plan.patience :]) > min(losses):
            return f"no lower loss on held-back images in {self.plan.patience} epochs"
        return ""

    def _epoch(self, sources: Sequence[Source], held_back: Sequence[Source]) -> None:
        started, worked = time.monotonic(), time.process_time()
        loss = self._learn(sources)
        took = time.monotonic() - started
        spent = max((time.process_time() - worked) / self.plan.threads, took / self.plan.longest)
        held = self._loss_of(held_back) if held_back else math.nan
        loss, held, spent = self._agreed(loss, held, took if self.device.type == "cuda" else spent)
        self.seconds += spent
        self.epoch += 1
        self.history.append(self._point(loss, held))
        if self.plan.keep_best and self._is_best():
            self.best = {"network": _copied(self.network), "objective": _copied(self.objective)}

    def _learn(self, sources: Sequence[Source]) -> float:
        learning_mode(self.network)
        self.objective.train()
        losses = [self._step(sources[number], chosen, number) for number, chosen in self._batches(sources)]
        return sum(losses) / len(losses)

    def _batches(self, sources: Sequence[Source]) -> list[tuple[int, torch.Tensor]]:
        """One epoch: sources take turns; smaller ones come round again until the largest was seen once."""
        random = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.epoch)
        sizes = [min(self.plan.batch, len(source.images)) for source in sources]
        turns = max(len(source.images) // size for source, size in zip(sources, sizes, strict=True))
        orders = [
            _endless(len(source.images), turns * size, random)
            for source, size in zip(sources, sizes, strict=True)
        ]
        return [
            (number, orders[number][turn * size : (turn + 1) * size])
            for turn in range(turns)
            for number, size in enumerate(sizes)
        ]

    def _step(self, source: Source, chosen: torch.Tensor, number: int) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        seed = self.plan.seed + 1_000_003 * (self.step + 1) + self.ranks.rank
        random = torch.Generator().manual_seed(seed)
        own = chosen[self.ranks.rank :: self.ranks.world]
        parts = [part for part in own.tensor_split(self.plan.accumulate) if len(part) > 1] or [own]
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in parts:
            with self._precision():
                loss = self.joint(source.batch(part, number, self.step), random) * (len(part) / len(own))
            torch.autograd.backward(self.scaler.scale(loss))
            total += float(loss.detach())
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.step += 1
        return total

    def _precision(self) -> AbstractContextManager[None]:
        """Half precision where there is a GPU: on these processors it is slower."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.autocast("cuda")

    def _loss_of(self, held_back: Sequence[Source]) -> float:
        self.network.eval()
        self.objective.eval()
        random = torch.Generator().manual_seed(self.plan.seed + 1)
        with torch.no_grad():
            losses = [
                float(self.objective.loss(self.network, source.batch(part, number), random))
                * len(part)
                / len(source.images)
                for number, source in enumerate(held_back)
                for part in torch.split(torch.arange(len(source.images)), max(self.plan.batch, 2))
            ]
        return sum(losses) / len(held_back)

    def _agreed(self, *values: float) -> tuple[float, ...]:
        """Take the first rank's figures, so that all processes end together."""
        if self.ranks.world == 1:
            return values
        figures = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(figures, 0)
        return tuple(figures.tolist())

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        return self.plan.rate * warm * 0.5 * (1.0 + math.cos(math.pi * self.share_done()))

    def _point(self, loss: float, held_back: float) -> Point:
        point = {"epoch": self.epoch, "loss": round(loss, 4), "seconds": round(self.seconds, 1)}
        return point if math.isnan(held_back) else point | {"held_back_loss": round(held_back, 4)}

    def _is_best(self) -> bool:
        losses = [point["held_back_loss"] for point in self.history if "held_back_loss" in point]
        return bool(losses) and losses[-1] <= min(losses)

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "objective": self.objective.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "counts": {"epoch": self.epoch, "step": self.step, "seconds": self.seconds},
            "history": self.history,
            "best": self.best,
        }

    def _resume(self) -> None:
        state = checkpoints.load(self.path)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.objective.load_state_dict(state["objective"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        counts = state["counts"]
        self.epoch, self.step, self.seconds = counts["epoch"], counts["step"], counts["seconds"]
        self.history, self.best = state["history"], state["best"]


def learning_mode(network: nn.Module) -> None:
    """Switch to training, except normalisation whose weights are frozen: its statistics stay too."""
    network.train()
    for layer in network.modules():
        if isinstance(layer, NORMALISATIONS) and not layer.weight.requires_grad:
            layer.eval()


def _endless(count: int, wanted: int, random: torch.Generator) -> torch.Tensor:
    """So many places of a row, each permutation used up before the next: (wanted,)."""
    rounds = -(-wanted // count)
    return torch.cat([torch.randperm(count, generator=random) for _ in range(rounds)])[:wanted]


def _copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
